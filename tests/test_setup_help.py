"""The script for set-up failures. Each thing is really broken here, and the script run as learners do."""

import ast
import contextlib
import glob
import json
import os
import shutil
import socket
import ssl
import subprocess
import sys
import sysconfig
import threading
import venv
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from florence_nb.kit.lessons import shipped

SCRIPT = Path(__file__).resolve().parents[1] / "workshop" / "setup_help.py"
pytestmark = pytest.mark.skipif(os.name == "nt", reason="fakes programs and disks as POSIX systems have them")
as_root = pytest.mark.skipif(os.name == "nt" or os.geteuid() != 0, reason="only root may mount a small disk")


@pytest.fixture(scope="module")
def bare(tmp_path_factory) -> Path:
    """The Python of an empty virtual environment, without pip."""
    folder = tmp_path_factory.mktemp("bare") / "venv"
    venv.create(folder)
    return folder / "bin" / "python"


@pytest.fixture
def ask(bare, tmp_path):
    """A function: what one check of the script prints, run by that Python in that folder."""

    def asked(check: str, python=bare, folder=tmp_path, path="/usr/bin:/bin", **environment):
        code = f"import sys; sys.path.insert(0, {str(SCRIPT.parent)!r}); import setup_help as s\n"
        code += f"found = s._guarded(s.{check})\nprint(s.report(found))"
        done = run(python, "-c", code, folder=folder, path=path, **environment)
        assert done.returncode == 0, done.stderr
        return done.stdout

    return asked


def run(python, *arguments, folder, path="/usr/bin:/bin", **environment):
    clean = {"PATH": path, "HOME": str(folder), "LANG": "C.UTF-8", **environment}
    return subprocess.run([python, *arguments], cwd=folder, env=clean, text=True, capture_output=True)


def pasted(text: str) -> list[str]:
    return text.strip().splitlines()[-1].split()[5:]


def mends(text: str) -> list[str]:
    return [line.partition("-> ")[2].split("      (")[0] for line in text.splitlines() if "-> " in line]


# ---- as a whole


def test_it_is_written_for_python_3_8_and_travels_with_the_pages():
    ast.parse(SCRIPT.read_text(encoding="utf-8"), feature_version=(3, 8))
    assert (shipped("workshop") / SCRIPT.name).is_file()


def test_an_empty_environment_has_a_list_in_order_and_an_anonymous_line(bare, tmp_path):
    done = run(bare, SCRIPT, "--no-network", folder=tmp_path)
    codes = pasted(done.stdout)
    assert done.returncode == 1 and done.stderr == ""
    assert codes.index("pip=missing") < codes.index("florence-nb=missing") < codes.index("kernel=no-jupyter")
    line = done.stdout.strip().splitlines()[-1]
    assert (
        line.startswith("florence-nb setup 1: ")
        and "/" not in line
        and os.path.basename(tmp_path) not in line
    )


def test_a_check_that_breaks_is_a_line_and_no_traceback(ask):
    told = ask("functools.partial(s.shutil.disk_usage, '/no/such/place')")
    assert "could not be looked at (FileNotFoundError" in told


# ---- this Python


def an_old_python() -> str:
    homes = glob.glob(os.path.expanduser("~/.pyenv/versions/3.[89].*/bin/python"))
    found = [path for path in [*homes, *map(shutil.which, ("python3.8", "python3.9"))] if path]
    return next((path for path in found if not subprocess.run([path, "--version"]).returncode), "")


@pytest.mark.skipif(not an_old_python(), reason="no Python before 3.10 is here")
def test_an_old_python_is_named_with_the_newer_one_beside_it(ask, tmp_path):
    newer = tmp_path / f"python3.{sys.version_info[1]}"
    newer.symlink_to(os.path.realpath(sys.executable))
    told = ask("python_version", python=an_old_python(), path=str(tmp_path))
    assert pasted(told) == ["python=old-newer-here"] and mends(told) == [f"{newer} -m venv .venv"]
    alone = ask("python_version", python=an_old_python(), path="/nowhere")
    assert pasted(alone) == ["python=old"] and "too old" in alone
    done = run(an_old_python(), SCRIPT, "--no-network", folder=tmp_path)
    assert done.returncode == 1 and "could not be looked at" not in done.stdout, done.stdout


def test_a_python_without_pip_gets_it_by_the_named_command(ask, tmp_path):
    venv.create(tmp_path / "v")
    python = tmp_path / "v" / "bin" / "python"
    told = ask("pip_here", python=python)
    assert pasted(told) == ["pip=missing"]
    subprocess.run(mends(told)[0].split(), check=True, capture_output=True)
    assert pasted(ask("pip_here", python=python)) == ["pip=ok"]


def test_a_standard_library_without_venv_as_debian_has_it(ask, tmp_path):
    """A home for Python whose library lacks two modules; all others are links."""
    library = tmp_path / "home" / "lib" / f"python{sys.version_info[0]}.{sys.version_info[1]}"
    library.mkdir(parents=True)
    for entry in Path(sysconfig.get_path("stdlib")).iterdir():
        if entry.name not in ("venv", "ensurepip", "site-packages"):
            (library / entry.name).symlink_to(entry)
    python = os.path.realpath(sys.executable)
    told = ask("venv_module", python=python, PYTHONHOME=str(tmp_path / "home"))
    assert pasted(told) == ["venv=missing"] and "lacks venv and ensurepip" in told
    assert pasted(ask("venv_module", python=python)) == ["venv=ok"]


def test_another_environment_is_switched_on(ask, bare, tmp_path):
    venv.create(tmp_path / "other")
    told = ask("environment", VIRTUAL_ENV=str(tmp_path / "other"))
    assert pasted(told) == ["environment=other-active"]
    assert mends(told)[0].startswith(str(tmp_path / "other" / "bin" / "python"))
    assert pasted(ask("environment", VIRTUAL_ENV=str(bare.parents[1]))) == ["environment=ok"]


def test_the_environment_beside_you_is_not_used(ask, tmp_path):
    venv.create(tmp_path / ".venv")
    told = ask("environment", python=os.path.realpath(sys.executable))
    assert pasted(told) == ["environment=venv-unused"] and mends(told) == ["source .venv/bin/activate"]


# ---- folders and disks


@contextlib.contextmanager
def small_disk(folder: Path, options: str):
    folder.mkdir()
    if subprocess.run(
        ["mount", "-t", "tmpfs", "-o", options, "tmpfs", folder], capture_output=True
    ).returncode:
        pytest.skip("no small disk can be mounted here")
    try:
        yield folder
    finally:
        subprocess.run(["umount", folder], check=True)


@as_root
def test_a_read_only_folder(ask, tmp_path):
    with small_disk(tmp_path / "disk", "size=1m,ro") as disk:
        told = ask("folder_rights", folder=disk)
    assert "rights=this-folder:read-only-file-system" in pasted(told) and "cd ~/florence" in told


@as_root
def test_a_full_folder(ask, tmp_path):
    with small_disk(tmp_path / "disk", "size=64k") as disk:
        with contextlib.suppress(OSError):
            (disk / "big").write_bytes(b"x" * 100_000)
        told = ask("folder_rights", folder=disk, HOME=str(tmp_path))
    assert "rights=this-folder:no-space-left-on-device" in pasted(told)


@as_root
def test_a_temporary_folder_that_is_too_small_for_torch(ask, tmp_path):
    with small_disk(tmp_path / "disk", "size=50m") as disk:
        told = ask("disk", TMPDIR=str(disk))
        assert pasted(told) == ["disk=temp-small"] and mends(told) == ['export TMPDIR="$HOME"']
        assert pasted(ask("disk", folder=disk))[0] == "disk=full"


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_without_rights(ask, tmp_path):
    (tmp_path / "closed").mkdir(mode=0o500)
    assert "rights=this-folder:permission-denied" in pasted(ask("folder_rights", folder=tmp_path / "closed"))


def test_a_file_that_hides_a_module_breaks_all_but_the_script_beside_it(bare, tmp_path):
    shutil.copy(SCRIPT, tmp_path)
    (tmp_path / "random.py").write_text("")
    told = run(bare, SCRIPT.name, "--no-network", folder=tmp_path)
    assert told.stderr == "" and "names=shadow-random" in pasted(told.stdout)
    assert mends(told.stdout)[0] == "mv random.py my_random.py"
    subprocess.run(mends(told.stdout)[0].split(), cwd=tmp_path, check=True)
    assert "names=ok" in pasted(run(bare, SCRIPT.name, "--no-network", folder=tmp_path).stdout)


# ---- network


@contextlib.contextmanager
def server(answer: int, context: ssl.SSLContext | None = None):
    """The port of a server that gives this answer to everything."""

    class Handler(BaseHTTPRequestHandler):
        def reply(self):
            self.send_response(answer)
            self.end_headers()

        do_GET = do_HEAD = do_CONNECT = reply

        def log_message(self, *_):
            pass

    http = HTTPServer(("127.0.0.1", 0), Handler)
    if context:
        http.socket = context.wrap_socket(http.socket, server_side=True)
    threading.Thread(target=http.serve_forever, daemon=True).start()
    try:
        yield http.server_port
    finally:
        http.shutdown()


def closed_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def test_a_dead_proxy_is_named_without_its_password(ask):
    port = closed_port()
    told = ask("index", HTTPS_PROXY=f"http://ada:secret@127.0.0.1:{port}")
    assert pasted(told) == ["network=proxy"] and mends(told) == ["unset HTTPS_PROXY"]
    assert "secret" not in told and f"127.0.0.1:{port}" in told


def test_a_proxy_that_wants_a_password(ask):
    with server(407) as port:
        told = ask("index", https_proxy=f"http://127.0.0.1:{port}")
    assert pasted(told) == ["network=proxy-password"]


def test_no_network(ask):
    told = ask("index", PIP_INDEX_URL="https://nobody:secret@index.invalid/simple")
    assert pasted(told) == ["network=no-name"] and "kit/install.py" in told and "secret" not in told
    refused = ask("index", PIP_INDEX_URL=f"http://127.0.0.1:{closed_port()}/simple")
    assert pasted(refused) == ["network=unreachable"]


def test_a_line_that_is_silent(ask):
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        told = ask("index", PIP_INDEX_URL=f"http://127.0.0.1:{silent.getsockname()[1]}/simple")
    assert pasted(told) == ["network=timeout"]


@pytest.mark.parametrize("status, code", [(200, "ok"), (403, "ok"), (503, "http503")])
def test_an_index_that_answers(status, code, ask):
    with server(status) as port:
        assert pasted(ask("index", PIP_INDEX_URL=f"http://127.0.0.1:{port}/simple")) == [f"network={code}"]


@pytest.mark.skipif(not shutil.which("openssl"), reason="needs openssl to make a certificate")
def test_a_certificate_that_nobody_signed(ask, tmp_path):
    made = [
        "openssl",
        "req",
        "-x509",
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-keyout",
        "key.pem",
        "-out",
        "cert.pem",
    ]
    subject = ["-subj", "/CN=localhost", "-days", "2"]
    subprocess.run([*made, *subject], cwd=tmp_path, check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "cert.pem", tmp_path / "key.pem")
    with server(200, context) as port:
        told = ask("index", PIP_INDEX_URL=f"https://localhost:{port}/simple")
    assert pasted(told) == ["network=certificate"] and "global.cert" in mends(told)[0]


# ---- packages and Jupyter


def test_the_package_is_in_another_python(ask):
    if subprocess.run(
        [sys.executable, "-c", "import florence_nb"], cwd="/", env={}, capture_output=True
    ).returncode:
        pytest.skip("florence-nb is not installed in the Python of the tests")
    told = ask("package", path=os.path.dirname(sys.executable))
    assert pasted(told) == ["florence-nb=in-another-python"]
    assert mends(told)[0].startswith(os.path.dirname(sys.executable)) and "-m florence_nb lab" in told


def test_the_wheel_that_lies_here_is_named(ask, tmp_path):
    (tmp_path / "florence_nb-9.9-py3-none-any.whl").write_bytes(b"")
    assert '"florence_nb-9.9-py3-none-any.whl[lab]"' in mends(ask("package", path="/nowhere"))[0]


def test_a_package_that_lost_its_torch(ask, bare, tmp_path):
    (tmp_path / "packages" / "florence_nb").mkdir(parents=True)
    (tmp_path / "packages" / "florence_nb" / "__init__.py").write_text("")
    told = ask("package", path="/nowhere", PYTHONPATH=str(tmp_path / "packages"))
    assert pasted(told) == ["florence-nb=broken"] and mends(told) == [f"{bare} -m pip install torch"]


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only there pip takes the CUDA build")
def test_pip_would_fetch_cuda_where_there_is_no_card(ask, tmp_path):
    told = ask("cuda_torch", path="/nowhere")
    assert pasted(told) == ["torch=cuda-too-large"] and "--index-url" in mends(told)[0]
    card = tmp_path / "nvidia-smi"
    card.write_text("#!/bin/sh\n")
    card.chmod(0o755)
    free = shutil.disk_usage(tmp_path).free > 8e9
    assert pasted(ask("cuda_torch", path=str(tmp_path))) == ([] if free else ["torch=cuda-too-large"])


def test_a_kernel_that_starts_another_python(ask, tmp_path):
    kernel = tmp_path / "jupyter" / "kernels" / "python3"
    kernel.mkdir(parents=True)
    spec = {
        "argv": ["/usr/bin/env-of-somebody/python", "-m", "ipykernel_launcher"],
        "display_name": "Python 3",
    }
    (kernel / "kernel.json").write_text(json.dumps({**spec, "language": "python"}))
    told = ask("kernels", python=sys.executable, JUPYTER_PATH=str(tmp_path / "jupyter"))
    assert pasted(told) == ["kernel=other-python"] and "-m ipykernel install" in mends(told)[0]
    assert pasted(ask("kernels", python=sys.executable)) == ["kernel=ok"]


def test_the_first_jupyter_of_the_path_is_another_one(ask, tmp_path):
    (tmp_path / "jupyter-lab").write_text("#!/bin/sh\n")
    (tmp_path / "jupyter-lab").chmod(0o755)
    assert pasted(ask("jupyters", path=str(tmp_path))) == ["jupyter=first-of-1-is-other"]
    assert pasted(ask("jupyters", path="/nowhere")) == ["jupyter=ok"]


def test_a_port_that_is_taken(bare, tmp_path):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        done = run(bare, SCRIPT, "--no-network", f"--port={port}", folder=tmp_path)
        assert "port=busy" in pasted(done.stdout) and f"--port={port + 2}" in done.stdout
