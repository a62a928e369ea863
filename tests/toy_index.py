"""A package index on this machine, with tiny wheels made by hand, and a florence-nb that needs them."""

from __future__ import annotations

import base64
import hashlib
import threading
import zipfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from florence_nb import __version__

TAGS = {
    "linux": "py3-none-manylinux_2_28_x86_64",
    "linux-arm": "py3-none-manylinux_2_28_aarch64",
    "macos": "py3-none-macosx_11_0_arm64",
    "windows": "py3-none-win_amd64",
}
LESSONS = """
from pathlib import Path
from types import SimpleNamespace
def copy_lessons(folder):
    Path(folder).mkdir(exist_ok=True)
    (Path(folder) / "05_detection.ipynb").write_text("{}")
    return SimpleNamespace(notes=("1 lesson written.",))
"""


def make_wheel(
    folder: Path, name: str, version: str, requires=(), tag="py3-none-any", files=None, more=""
) -> Path:
    """A wheel with the given requirements, and the given files (path -> text)."""
    info = f"{name}-{version}.dist-info"
    needs = "".join(f"Requires-Dist: {need}\n" for need in requires)
    texts = {
        f"{name}.py": "",
        **(files or {}),
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{needs}{more}",
        f"{info}/WHEEL": f"Wheel-Version: 1.0\nGenerator: toy\nRoot-Is-Purelib: true\nTag: {tag}\n",
    }
    rows = [f"{path},sha256={_base64(text)},{len(text)}\n" for path, text in texts.items()]
    texts[f"{info}/RECORD"] = "".join([*rows, f"{info}/RECORD,,\n"])
    target = folder / f"{name}-{version}-{tag}.whl"
    with zipfile.ZipFile(target, "w") as archive:
        for path, text in texts.items():
            archive.writestr(path, text)
    return target


def _base64(text: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()


def fill(folder: Path) -> Path:
    """What the toy florence-nb needs; returns florence-nb's own wheel, which is not in the index."""
    (folder / "index").mkdir(parents=True)
    (folder / "cpu").mkdir()
    index = folder / "index"
    make_wheel(
        index, "alpha", "1.0", ['only_windows; sys_platform == "win32"', 'old; python_version < "3.0"']
    )
    make_wheel(index, "only_windows", "1.0")
    make_wheel(index, "jupyterlab", "4.0", ["alpha"])
    make_wheel(index, "nvidia_cublas", "1.0")
    for name, tag in TAGS.items():
        make_wheel(index, "torch", "2.9.0", ['nvidia_cublas; platform_system == "Linux"'], tag)
        if name.startswith("linux"):
            make_wheel(folder / "cpu", "torch", "2.8.0+cpu", ["alpha"], tag)
    files = {
        "florence_nb/__init__.py": "",
        "florence_nb/kit/__init__.py": "",
        "florence_nb/kit/lessons.py": LESSONS,
    }
    needs = ["torch>=2.6", "alpha", 'jupyterlab; extra == "lab"']
    return make_wheel(folder, "florence_nb", __version__, needs, files=files, more="Provides-Extra: lab\n")


class Index:
    """Serves ``index/`` at /simple/ and ``cpu/`` at /cpu/, and counts the wheels that it sends.

    Attributes:
        dies_after: so many wheels are sent, and then every connection is cut.
    """

    def __init__(self, folder: Path) -> None:
        self.folder, self.sent, self.dies_after = folder, [], 10_000
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.address = f"http://127.0.0.1:{self.server.server_address[1]}"

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()

    def page(self, path: str) -> bytes | None:
        part, project, *_ = [*path.strip("/").split("/"), ""]
        folder = self.folder / {"simple": "index"}.get(part, part)
        names = [
            file.name
            for file in sorted(folder.glob("*.whl"))
            if project == file.name.split("-")[0].replace("_", "-")
        ]
        links = [f'<a href="/files/{folder.name}/{name}">{name}</a>' for name in names]
        return "".join(links).encode() if links else None

    def _handler(index):
        class Handler(BaseHTTPRequestHandler):
            def do_HEAD(self):
                self.do_GET(body=False)

            def do_GET(self, body=True):
                if len(index.sent) >= index.dies_after:
                    return self.connection.close()
                path = self.path.replace("%2B", "+")
                if path.startswith("/files/"):
                    data = (index.folder / path.removeprefix("/files/")).read_bytes()
                    index.sent += [path.rpartition("/")[2]] if body else []
                else:
                    data = index.page(path)
                self.send_response(200 if data is not None else 404)
                self.send_header("Content-Type", "text/html" if "/files/" not in path else "application/zip")
                self.send_header("Content-Length", str(len(data or b"")))
                self.end_headers()
                self.wfile.write(data or b"" if body else b"")

            def log_message(self, *args):
                pass

        return Handler
