"""What two learners on a JupyterHub cost: `python -m tests.slow.measure_hub`, on Linux.

It needs florence-nb[lab], jupyterhub and psutil, and configurable-http-proxy (from npm) on the PATH. It
starts a hub of its own; two learners ask four questions each at the same time. Memory is PSS (USS).
"""

import tempfile
import time
from pathlib import Path

import psutil
import requests
from jupyter_client.blocking import BlockingKernelClient
from requests.adapters import HTTPAdapter, Retry

FIRST_CELL = "import florence_nb as fnb; florence = fnb.load('mini'); florence.run_example('<OD>', 'street')"
THREE_MORE = "for task in ('<CAPTION>', '<OCR>', '<OD>'): florence.run_example(task, 'harbour')"
SETTINGS = """
import os
c.JupyterHub.authenticator_class, c.JupyterHub.spawner_class = "dummy", "simple"
c.JupyterHub.tornado_settings = {"slow_spawn_timeout": 300}
c.JupyterHub.services = [{"name": "measure", "api_token": "measure-hub", "admin": True}]
c.Authenticator.allowed_users = {"ada", "grace"}
c.SimpleLocalProcessSpawner.home_dir_template = os.path.abspath("home/{username}")
c.Spawner.args, c.Spawner.start_timeout, c.Spawner.http_timeout = ["--allow-root"], 300, 300
c.Spawner.environment = {"OMP_NUM_THREADS": "1"}
"""
HUB = requests.Session()
HUB.headers["Authorization"] = "token measure-hub"
HUB.mount("http://", HTTPAdapter(max_retries=Retry(40, backoff_factor=0.1, status_forcelist=[404, 503])))


def kernel_of(learner: str, folder: Path) -> BlockingKernelClient:
    """A client of a new kernel in the learner's server, which the hub starts."""
    for address in (f"hub/api/users/{learner}/server", f"user/{learner}/api/kernels"):
        HUB.post(f"http://127.0.0.1:8000/{address}").raise_for_status()
    (file,) = (folder / "home" / learner).rglob("kernel-*.json")
    client = BlockingKernelClient()
    client.load_connection_file(str(file))
    client.start_channels()
    return client


with tempfile.TemporaryDirectory() as folder, open(Path(folder, "log.txt"), "w") as log:
    Path(folder, "settings.py").write_text(SETTINGS)
    hub = psutil.Popen(["jupyterhub", "-f", "settings.py"], cwd=folder, stdout=log, stderr=log)
    try:
        HUB.get("http://127.0.0.1:8000/hub/health").raise_for_status()
        kernels = [kernel_of(learner, Path(folder)) for learner in ("ada", "grace")]
        for code in (FIRST_CELL, THREE_MORE):
            began = time.monotonic()
            _ = [kernel.execute(code) for kernel in kernels]
            replies = [kernel.get_shell_msg(timeout=600)["content"]["status"] for kernel in kernels]
            print(f"{time.monotonic() - began:.1f} s, {replies}: {code}")
        for each in (hub, *hub.children(recursive=True)):
            used, worked = each.memory_full_info(), sum(each.cpu_times()[:2])
            print(f"{used.pss / 1e6:.0f} ({used.uss / 1e6:.0f}) MB, {worked:.0f} s:", *each.cmdline()[-3:])
    finally:
        started = hub.children(recursive=True)
        hub.terminate()
        hub.wait()
        _ = [each.terminate() for each in started if each.is_running()]  # a proxy would keep the port
