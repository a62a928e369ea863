"""Assemble the page's WebAssembly kernel: python .ci/kernel.py, after a change to kernel.wat."""

from pathlib import Path

WEB = Path(__file__).resolve().parents[1] / "florence_nb" / "page" / "web"


def assemble(source: str) -> bytes:
    """The module without its custom sections, which only hold names for a debugger."""
    from wasmtime import wat2wasm

    return without_names(bytes(wat2wasm(source)))


def without_names(module: bytes) -> bytes:
    """A module is 8 bytes, then sections: a number (0: custom), the length, the content."""
    kept, at = module[:8], 8
    while at < len(module):
        length, begin = _number(module, at + 1)
        if module[at]:
            kept += module[at : begin + length]
        at = begin + length
    return kept


def _number(module: bytes, at: int) -> tuple[int, int]:
    """An unsigned LEB128 number, and where it ends."""
    value = shift = 0
    while True:
        byte = module[at]
        value |= (byte & 127) << shift
        at, shift = at + 1, shift + 7
        if byte < 128:
            return value, at


if __name__ == "__main__":
    (WEB / "kernel.wasm").write_bytes(assemble((WEB / "kernel.wat").read_text(encoding="utf-8")))
