"""When set-up fails: what is wrong on this machine, and the one command that mends it.

    python3 setup_help.py        (Windows: py setup_help.py)

Run it where it failed: in the same terminal and folder, with the same Python. It needs nothing but Python 3.8
or later, changes nothing, and sends nothing; it only asks the package index whether it is there (leave that
out with --no-network). Its last line holds no name and no path, so it can be pasted to a teacher.
"""

from __future__ import annotations

import os
import sys

# A random.py beside this script would hide Python's own. (These two are loaded before any script.)
sys.path[:] = [path for path in sys.path if path not in ("", os.path.dirname(os.path.abspath(__file__)))]

import argparse
import functools
import glob
import importlib.util
import json
import platform
import re
import shutil
import socket
import ssl
import subprocess
import sysconfig
import tempfile
import urllib.error
import urllib.request
from typing import Callable, Iterator, NamedTuple

OLDEST = (3, 10)
NEEDS_GB = 2.0  # measured: 1.6 GB with torch for the CPU
CUDA_GB = 8.0
INDEX = "https://pypi.org/simple/"
CPU_INDEX = "https://download.pytorch.org/whl/cpu"
WINDOWS, MAC = os.name == "nt", sys.platform == "darwin"
BIN = "Scripts" if WINDOWS else "bin"
PROXIES = ("https_proxy", "HTTPS_PROXY", "http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY")
SHADOWS = ("torch", "transformers", "numpy", "PIL", "florence_nb", "random", "types", "tokenize", "requests")


class Found(NamedTuple):
    """One thing that was looked at. `code` is what the pasted line says; without `mend` nothing is to do."""

    topic: str
    code: str
    says: str
    mend: str = ""


def main(arguments: list[str] | None = None) -> int:
    """Prints what was found; 0 where nothing is to mend, else 1."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--no-network", action="store_true", help="do not ask the package index")
    parser.add_argument("--port", type=int, default=8888, help="the port of JupyterLab (default 8888)")
    options = parser.parse_args(arguments)
    found = look(options.port, network=not options.no_network)
    print(
        report(found).encode(sys.stdout.encoding or "utf-8", "replace").decode(sys.stdout.encoding or "utf-8")
    )
    return 1 if any(each.mend for each in found) else 0


def look(port: int = 8888, network: bool = True) -> list[Found]:
    """All checks in the order in which one mends things."""
    checks: list[Callable[[], Iterator[Found]]] = [
        python_version, machine, shadowing_files, environment, venv_module, pip_here, folder_rights, disk,
        *([index] if network else []), cuda_torch, package, kernels, jupyters, functools.partial(ports, port),
    ]  # fmt: skip
    return [each for check in checks for each in _guarded(check)]


def _guarded(check: Callable[[], Iterator[Found]]) -> list[Found]:
    name = getattr(check, "__name__", "ports")
    try:
        return list(check())
    except Exception as error:  # this script is for machines where anything may be broken
        return [
            Found(name, type(error).__name__, f"could not be looked at ({type(error).__name__}: {error})")
        ]


def report(found: list[Found]) -> str:
    """The text that is printed, the line to paste at its end."""
    lines = []
    for each in found:
        lines.append(f"{'to do' if each.mend else 'ok':<5}  {each.topic}: {each.says}")
        lines += [f"       -> {each.mend}"] if each.mend else []
    todo = sum(bool(each.mend) for each in found)
    advice = f"{todo} to mend. Begin with the first, then run this again." if todo else "Nothing to mend."
    return "\n".join(
        [*lines, "", advice, "", "To paste to your teacher (no names, no paths):", summary(found)]
    )


def summary(found: list[Found]) -> str:
    """One anonymous line: the system, the Python, and a word for each thing that was looked at."""
    version = ".".join(map(str, sys.version_info[:3]))
    system = f"{platform.system()}-{platform.machine()}".lower()
    return " ".join(["florence-nb setup 1:", system, f"py{version}", *(f"{e.topic}={e.code}" for e in found)])


# ---- this Python


def python_version() -> Iterator[Found]:
    here = ".".join(map(str, sys.version_info[:3]))
    if sys.version_info >= OLDEST:
        yield Found("python", "ok", f"{here}")
        return
    newer = _newer_python()
    if newer:
        says = f"{here} is too old (3.10 or later is needed), but a newer one is here"
        yield Found("python", "old-newer-here", says, _make_venv(newer))
    else:
        yield Found("python", "old", f"{here} is too old: 3.10 or later is needed", _how_to_get_python())


def _newer_python() -> str:
    names = [f"python3.{minor}" for minor in range(14, 9, -1)]
    there = [path for path in map(shutil.which, names) if path and not _run([path, "--version"])[0]]
    return there[0] if there else _from_the_launcher()


def _from_the_launcher() -> str:
    """Windows: `py -0p` lists what is installed."""
    said = _run(["py", "-0p"])[1] if WINDOWS and shutil.which("py") else ""
    found = [match for match in re.findall(r"3\.(\d+)\S*\s+\*?\s*(\S.*)", said) if int(match[0]) >= OLDEST[1]]
    return found[0][1].strip() if found else ""


def _how_to_get_python() -> str:
    if WINDOWS:
        return "winget install Python.Python.3.12      (then open a new terminal)"
    if MAC:
        return "brew install python@3.12      (or the installer of python.org)"
    return "sudo apt install python3 python3-venv      (or your system's own way to a newer Python)"


def machine() -> Iterator[Found]:
    system, chip = platform.system(), platform.machine().lower()
    if sys.maxsize <= 2**32:
        yield Found("machine", "32bit", "this Python has 32 bits, and torch needs 64", _how_to_get_python())
    elif system == "Darwin" and chip == "x86_64":
        mend = "work in Colab, or at another laptop"
        yield Found("machine", "intel-mac", "torch makes nothing new for Macs with Intel processors", mend)
    else:
        yield Found("machine", "ok", f"{system} on {chip}")


def environment() -> Iterator[Found]:
    active = os.environ.get("VIRTUAL_ENV") or os.environ.get("CONDA_PREFIX") or ""
    if active and not _same(active, sys.prefix):
        says = f"the terminal has {active} switched on, but this is the Python of {sys.prefix}"
        yield Found("environment", "other-active", says, f"{_quoted(_python_of(active))} {_quoted(_me())}")
    elif sys.prefix != sys.base_prefix or active:
        yield Found("environment", "ok", f"a virtual environment, {sys.prefix}")
    elif here := _venvs_here():
        says = f"this is the Python of the system, and the virtual environment {here[0]} is beside you"
        yield Found("environment", "venv-unused", says, _activate(here[0]))
    else:
        says = "this is the Python of the system; packages go into a virtual environment"
        yield Found("environment", "system", says, _make_venv(sys.executable))


def _venvs_here() -> list[str]:
    return [
        path
        for path in (".venv", "florence-venv", "venv")
        if os.path.isfile(os.path.join(path, "pyvenv.cfg"))
    ]


def _make_venv(python: str) -> str:
    return f"{_quoted(python)} -m venv .venv      (then: {_activate('.venv')})"


def _activate(venv: str) -> str:
    return f"{venv}\\Scripts\\activate" if WINDOWS else f"source {venv}/bin/activate"


def venv_module() -> Iterator[Found]:
    missing = [name for name in ("venv", "ensurepip") if importlib.util.find_spec(name) is None]
    if missing:
        version = f"{sys.version_info[0]}.{sys.version_info[1]}"
        says = f"no virtual environment can be made: this Python lacks {' and '.join(missing)}"
        mend = _how_to_get_python() if WINDOWS or MAC else f"sudo apt install python{version}-venv"
        yield Found("venv", "missing", says, mend)
    else:
        yield Found("venv", "ok", "virtual environments can be made")


def pip_here() -> Iterator[Found]:
    code, said = _run([sys.executable, "-m", "pip", "--version"])
    if code:
        says = f"pip does not run ({_last(said)})"
        yield Found("pip", "missing", says, f"{_this()} -m ensurepip --upgrade")
        return
    yield Found("pip", "ok", said.split(" from ")[0].strip())
    marker = os.path.join(sysconfig.get_path("stdlib"), "EXTERNALLY-MANAGED")
    if sys.prefix == sys.base_prefix and os.path.exists(marker):
        says = "the system forbids pip to install into this Python (externally-managed-environment)"
        yield Found("pip", "managed", says, _make_venv(sys.executable))


# ---- folders and disk


def folder_rights() -> Iterator[Found]:
    places = {"this folder": os.getcwd(), "home": os.path.expanduser("~"), "temp": tempfile.gettempdir()}
    if sys.prefix != sys.base_prefix:
        places["packages"] = sysconfig.get_path("purelib")
    closed = [(name, path, reason) for name, path in places.items() if (reason := _cannot_write(path))]
    for name, path, reason in closed:
        says = f"nothing can be written to {path} ({reason})"
        yield Found(
            "rights", f"{name.replace(' ', '-')}:{reason.replace(' ', '-')}", says, _other_place(name)
        )
    if not closed:
        yield Found("rights", "ok", "the folders that are needed can be written")


def _cannot_write(folder: str) -> str:
    """Why not; "" if a file can be made there. Asking for the rights would not see a full disk."""
    try:
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(b"x" * 4096)
            file.flush()
        return ""
    except OSError as error:
        return (error.strerror or type(error).__name__).lower()


def _other_place(name: str) -> str:
    if name == "temp":
        return "set TMP=%USERPROFILE%" if WINDOWS else 'export TMPDIR="$HOME"'
    if name == "packages":
        return f"{_this()} -m venv {_quoted(os.path.join(os.path.expanduser('~'), 'florence-venv'))}"
    if name == "home":
        return "set JUPYTER_DATA_DIR=%TEMP%" if WINDOWS else "export JUPYTER_DATA_DIR=$(mktemp -d)"
    return "cd %USERPROFILE%" if WINDOWS else "mkdir -p ~/florence && cd ~/florence"


def shadowing_files() -> Iterator[Found]:
    """A file torch.py in the current folder is imported in place of torch."""
    bad = [name for name in SHADOWS if os.path.isfile(name + ".py")]
    for name in bad:
        rename = "ren" if WINDOWS else "mv"
        says = f"the file {name}.py in this folder hides the package {name}"
        yield Found("names", f"shadow-{name}", says, f"{rename} {name}.py my_{name}.py")
    if not bad:
        yield Found("names", "ok", "no file here hides a package")


def disk() -> Iterator[Found]:
    places = {
        "the virtual environment": sys.prefix,
        "this folder": os.getcwd(),
        "temp": tempfile.gettempdir(),
    }
    free = {name: shutil.disk_usage(path).free / 1e9 for name, path in places.items()}
    installed = importlib.util.find_spec("torch") is not None
    short = {name: size for name, size in free.items() if size < NEEDS_GB}
    if not short or installed:
        yield Found("disk", "ok", f"{min(free.values()):.1f} GB free")
    elif set(short) == {"temp"}:
        says = f"pip unpacks in {tempfile.gettempdir()}: {short['temp']:.1f} GB free, {NEEDS_GB:.0f} needed"
        yield Found("disk", "temp-small", says, _other_place("temp"))
    else:
        says = f"{min(short.values()):.1f} GB free, and {NEEDS_GB:.0f} GB are needed"
        mend = "cleanmgr" if WINDOWS else f"{_this()} -m pip cache purge      (then empty your downloads)"
        yield Found("disk", "full", says, mend)


# ---- network


def index() -> Iterator[Found]:
    """Asks the index that pip would ask. Only the name of a proxy is told, never its password."""
    address = _index_address()
    try:
        with urllib.request.urlopen(urllib.request.Request(address, method="HEAD"), timeout=8):
            yield Found("network", "ok", f"{_host(address)} answers")
    except urllib.error.HTTPError as error:
        if error.code == 407:
            yield _proxy_trouble("proxy-password", "wants a password")
        elif error.code >= 500:
            says = f"{_host(address)} answers {error.code}"
            yield Found("network", f"http{error.code}", says, "wait, and try again")
        else:
            yield Found("network", "ok", f"{_host(address)} answers")
    except Exception as error:  # URLError, a timeout, a broken line, an address that is none
        yield _network_trouble(address, getattr(error, "reason", None) or error)


def _index_address() -> str:
    command = [sys.executable, "-m", "pip", "config", "get", "global.index-url"]
    configured = (os.environ.get("PIP_INDEX_URL") or _run(command, 20)[1]).strip()
    return re.sub(r"//[^/@]*@", "//", configured) if configured.startswith("http") else INDEX


def _network_trouble(address: str, reason: object) -> Found:
    host, text = _host(address), str(reason)
    if "407" in text and _proxy():
        return _proxy_trouble("proxy-password", "wants a password")
    if isinstance(reason, ssl.SSLError) or "CERTIFICATE" in text.upper():
        return _certificate_trouble(host, text)
    if _proxy():
        return _proxy_trouble("proxy", f"does not answer ({_last(text)})")
    if isinstance(reason, socket.gaierror):
        says = f"the name {host} is not found: no network, or a wrong address"
        return Found("network", "no-name", says, _without_network())
    if isinstance(reason, (socket.timeout, TimeoutError)):  # two classes until Python 3.10
        says = f"{host} does not answer: a firewall, or a Wi-Fi with a page to accept"
        return Found("network", "timeout", says, _without_network())
    return Found("network", "unreachable", f"{host} cannot be reached ({_last(text)})", _without_network())


def _certificate_trouble(host: str, text: str) -> Found:
    if "expired" in text or "not yet valid" in text:
        mend = "w32tm /resync" if WINDOWS else "date      (is it right? if not, set the clock)"
        says = f"the certificate of {host} is out of date: is the clock right?"
        return Found("network", "certificate-time", says, mend)
    says = f"the certificate of {host} is not trusted: a firewall of your school or company reads along"
    framework = "/Applications/Python */Install Certificates.command"
    if MAC and glob.glob(framework):
        says = f"Python does not find the certificates of this Mac for {host}"
        return Found("network", "certificate-mac", says, f'open "{glob.glob(framework)[-1]}"')
    mend = f"{_this()} -m pip config set global.cert FILE      (ask for its certificate FILE)"
    return Found("network", "certificate", says, mend)


def _proxy_trouble(code: str, what: str) -> Found:
    names = [name for name in PROXIES if os.environ.get(name)]
    unset = " & ".join(f"set {name}=" for name in names) if WINDOWS else "unset " + " ".join(names)
    mend = unset if names else "ask for the address of the proxy, and set HTTPS_PROXY to it"
    return Found("network", code, f"the proxy {_proxy()} {what}; without it there may be a way", mend)


def _proxy() -> str:
    """Host and port of the proxy for https; "" if there is none."""
    address = urllib.request.getproxies().get("https", "")
    return _host(address) if address else ""


def _host(address: str) -> str:
    return re.sub(r"^\w+://", "", address).split("/")[0].split("@")[-1]


def _without_network() -> str:
    return "install from your teacher's stick: " + ("py" if WINDOWS else "python3") + " kit/install.py"


# ---- what is installed


def cuda_torch() -> Iterator[Found]:
    """On Linux pip takes the CUDA build of torch, several GB, also where there is no NVIDIA card."""
    if importlib.util.find_spec("torch") is not None or not sys.platform.startswith("linux"):
        return
    free = shutil.disk_usage(sys.prefix).free / 1e9
    if not shutil.which("nvidia-smi") or free < CUDA_GB:
        why = "no NVIDIA card is seen" if not shutil.which("nvidia-smi") else f"only {free:.1f} GB are free"
        says = f"pip would fetch torch for CUDA, several GB, but {why}: install the small torch first"
        mend = f"{_this()} -m pip install torch --index-url {CPU_INDEX}"
        yield Found("torch", "cuda-too-large", says, mend)


def package() -> Iterator[Found]:
    here = _imports(sys.executable)
    if here == "":
        yield Found("florence-nb", "ok", "is installed in this Python")
        yield from _own_check()
    elif "timed out" in here:
        yield Found("florence-nb", "slow", "takes very long to import: is this machine busy with other work?")
    elif "No module named 'florence_nb'" not in here:
        says = f"is installed in this Python, but cannot be imported: {here}"
        yield Found("florence-nb", "broken", says, _repair(here))
    elif other := next((python for python in _other_pythons() if _imports(python) == ""), ""):
        says = f"is not installed in this Python, but in {other}"
        yield Found("florence-nb", "in-another-python", says, f"{_quoted(other)} -m florence_nb lab")
    else:
        says = "is not installed in this Python"
        yield Found("florence-nb", "missing", says, f"{_this()} -m pip install {_what_to_install()}")


def _imports(python: str) -> str:
    """Why florence_nb or torch cannot be imported in that Python; "" if they can. Asked from another folder,
    so that a clone in the current folder does not count.
    """
    code, said = _run(
        [python, "-c", "import florence_nb, torch, transformers"], 600, cwd=os.path.dirname(python)
    )
    return _last(said) or "it ended without a word" if code else ""


def _repair(reason: str) -> str:
    if WINDOWS and ("DLL" in reason or "WinError" in reason):
        return "winget install Microsoft.VCRedist.2015+.x64      (then restart)"
    missing = re.search(r"No module named '([\w.]+)'", reason)
    name = missing.group(1).split(".")[0] if missing else "torch"
    return f"{_this()} -m pip install {'' if missing else '--force-reinstall '}{name}"


def _other_pythons() -> list[str]:
    """Pythons of the PATH, of virtual environments here and of the one that is switched on, but this one."""
    names = (
        ["python.exe"] if WINDOWS else ["python3", "python", *(f"python3.{minor}" for minor in range(10, 15))]
    )
    folders = os.environ.get("PATH", "").split(os.pathsep)
    paths = [os.path.join(folder, name) for folder in folders for name in names]
    paths += [_python_of(venv) for venv in [*_venvs_here(), os.environ.get("VIRTUAL_ENV", "")] if venv]
    there = [os.path.abspath(path) for path in paths if os.path.isfile(path) and os.access(path, os.X_OK)]
    return [path for path in dict.fromkeys(there) if path != os.path.abspath(sys.executable)]


def _what_to_install() -> str:
    wheels = sorted(glob.glob("florence_nb-*.whl"))
    if wheels:
        return f'"{wheels[-1]}[lab]"'
    clone = os.path.isdir("florence_nb") and os.path.isfile("pyproject.toml")
    return '-e ".[lab]"' if clone else '"PATH-OF-THE-WHEEL[lab]"'


def _own_check() -> Iterator[Found]:
    """What `florence-nb check` finds, once it can run: the rows that are to do."""
    code, said = _run([sys.executable, "-m", "florence_nb", "check"], 600)
    rows = re.findall(r"^to do\s+(.+?)\s{2,}(.+)\n\s+-> (.+)$", said, re.M)
    for name, says, mend in rows:
        yield Found("check", name.strip().replace(" ", "-"), f"{name.strip()}: {says}", mend)
    if not rows and code:
        yield Found("check", "no-end", f"florence-nb check did not come to its end ({_last(said)})")
    elif not rows:
        yield Found("check", "ok", "florence-nb check has nothing to do")


# ---- Jupyter


def kernels() -> Iterator[Found]:
    """A kernel that starts another Python: its notebooks do not find what is installed in this one."""
    code, said = _run([sys.executable, "-m", "jupyter", "kernelspec", "list", "--json"], 60)
    if code:
        says = "JupyterLab is not installed in this Python"
        yield Found("kernel", "no-jupyter", says, f"{_this()} -m pip install jupyterlab")
        return
    specs = json.loads(said[said.index("{") :])["kernelspecs"]
    starts = {name: spec["spec"]["argv"][0] for name, spec in specs.items()}
    default = starts.get("python3", "")
    if default and not _is_this_python(default):
        says = f"the kernel Python 3 starts {default}, which is another Python"
        install = f"-m ipykernel install --prefix {_quoted(sys.prefix)} --name florence"
        mend = f"{_this()} {install}      (then choose the kernel florence)"
        yield Found("kernel", "other-python", says, mend)
    else:
        yield Found("kernel", "ok", "notebooks run in this Python")


def _is_this_python(program: str) -> bool:
    """Jupyter itself puts this Python where a kernel names none."""
    return program in ("python", "python3") or os.path.abspath(program) in _own_names()


def _own_names() -> set[str]:
    folder = os.path.dirname(os.path.abspath(sys.executable))
    names = ["python.exe"] if WINDOWS else ["python", "python3", f"python3.{sys.version_info[1]}"]
    return {os.path.abspath(sys.executable), *(os.path.join(folder, name) for name in names)}


def jupyters() -> Iterator[Found]:
    """Several JupyterLabs: the command starts the first of the PATH, which may not be that of this Python."""
    program = "jupyter-lab.exe" if WINDOWS else "jupyter-lab"
    folders = [folder for folder in os.environ.get("PATH", "").split(os.pathsep) if folder]
    there = [path for path in (os.path.join(folder, program) for folder in folders) if os.path.isfile(path)]
    own = os.path.join(os.path.dirname(os.path.abspath(sys.executable)), program)
    if there and not _same(there[0], own):
        says = f"the command jupyter lab starts {there[0]}, which belongs to another Python"
        yield Found("jupyter", f"first-of-{len(there)}-is-other", says, f"{_this()} -m florence_nb lab")
    else:
        yield Found("jupyter", "ok", "no other JupyterLab is in the way")


def ports(port: int) -> Iterator[Found]:
    with socket.socket() as probe:
        busy = probe.connect_ex(("127.0.0.1", port)) == 0
    if busy:
        says = f"port {port} is taken: another JupyterLab may run, and you may be looking at its page"
        yield Found("port", "busy", says, f"{_this()} -m florence_nb lab --port={port + 2}")
    else:
        yield Found("port", "ok", f"{port} is free")


# ---- small things


def _run(command: list[str], seconds: int = 60, cwd: str | None = None) -> tuple[int, str]:
    """Exit status and all that was printed; 1 and the reason where it cannot be run."""
    try:
        done = subprocess.run(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=seconds, cwd=cwd or None
        )
        return done.returncode, done.stdout.decode("utf-8", "replace")
    except (OSError, subprocess.TimeoutExpired) as error:
        return 1, str(error)


def _last(text: str) -> str:
    return (text.strip().splitlines() or [""])[-1][:200]


def _quoted(path: str) -> str:
    return f'"{path}"' if " " in path else path


def _python_of(venv: str) -> str:
    conda = os.path.join(venv, "python.exe")
    return conda if os.path.isfile(conda) else os.path.join(venv, BIN, "python.exe" if WINDOWS else "python")


def _this() -> str:
    return _quoted(sys.executable)


def _me() -> str:
    return sys.argv[0] or "setup_help.py"


def _same(one: str, other: str) -> bool:
    return os.path.normcase(os.path.realpath(one)) == os.path.normcase(os.path.realpath(other))


if __name__ == "__main__":
    sys.exit(main())
