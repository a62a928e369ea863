"""The command line: `florence-nb check | lab | run | fetch | record | export | pack | unpack | slides |
page | serve | class-report`, each with --help.

Answers go to stdout, messages to stderr. Exit codes: 0 done, 1 `check` found something to do, 2 wrong input,
130 stopped by Ctrl-C.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib.util
import json
import os
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from .errors import CheckpointError, InputError

if TYPE_CHECKING:
    from .answers import Answer


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code; wrong options end in SystemExit(2), as argparse does."""
    parser = _parser()
    options, rest = parser.parse_known_args(arguments)
    if rest and options.command != "lab":
        parser.error(f"unknown option {' '.join(rest)}: see florence-nb {options.command} --help")
    options.rest = rest
    try:
        return options.action(options)
    except (InputError, CheckpointError) as error:
        _say(f"florence-nb {options.command}: {error}")
        return 2
    except KeyboardInterrupt:
        _say("stopped")
        return 130


def _say(text: str) -> None:
    print(text, file=sys.stderr)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="florence-nb", description="Florence-2: check the machine, open the lessons, ask, fetch."
    )
    add = parser.add_subparsers(
        dest="command",
        required=True,
        metavar="check | lab | run | fetch | record | export | pack | unpack | slides | page | serve |"
        " class-report",
    ).add_parser
    _check_options(add("check", help="say what this machine has, what is missing and what to do"))
    to_lab = "All other options go to JupyterLab, as in florence-nb lab --no-browser --port=8889."
    _lab_options(
        add(
            "lab",
            help="copy the lessons into a folder of yours, and open JupyterLab there",
            epilog=to_lab,
            allow_abbrev=False,
        )
    )
    _run_options(add("run", help="ask about one picture: the answer as JSON, and a picture of it"))
    _fetch_options(add("fetch", help="download a checkpoint, for use without network later"))
    _pack_options(add("pack", help="write a folder from which laptops are installed without a network"))
    _unpack_options(add("unpack", help="install from a folder that pack wrote"))
    _record_options(add("record", help="write a checkpoint's answers down, to show them without it"))
    _export_options(add("export", help="write a checkpoint as ONNX, to run it without torch"))
    _slides_options(add("slides", help="write the slides of all lessons, and a handout, as HTML files"))
    _page_options(add("page", help="write mini as a web page that runs in any browser, without a server"))
    _serve_options(add("serve", help="serve the page, the lessons and the slides to a class, by a QR code"))
    _class_report_options(add("class-report", help="turn the pasted reports of a class into a table"))
    return parser


# ---- check


def _check_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--offline", action="store_true", help="switch the network off meanwhile, and ask mini a question"
    )
    parser.set_defaults(action=_check)


def _check(options: argparse.Namespace) -> int:
    if options.offline:
        from .kit.offline import check_offline as check
    else:
        from .check import check

    report = check()
    encoding = sys.stdout.encoding or "utf-8"  # an older Windows console cannot print every letter
    print(str(report).encode(encoding, "replace").decode(encoding))
    return 0 if report.ok else 1


# ---- lab


def _lab_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--folder", help="where your copy of the lessons is, or goes (default: florence-lessons, here)"
    )
    parser.add_argument(
        "--with-outputs", action="store_true", help="copy the lessons with their stored outputs"
    )
    parser.set_defaults(action=_lab)


def _lab(options: argparse.Namespace) -> int:
    from .kit.lessons import copy_lessons, own_folder

    folder = Path(os.path.expanduser(options.folder)) if options.folder else own_folder()
    copied = copy_lessons(folder, with_outputs=options.with_outputs)
    for note in copied.notes:
        _say(note)
    if importlib.util.find_spec("jupyterlab") is None:
        raise InputError(
            f"JupyterLab is not installed here: pip install jupyterlab, or open the lessons in {folder} with"
            " an editor of yours."
        )
    process = subprocess.Popen([sys.executable, "-m", "jupyterlab", str(copied.first), *options.rest])
    while True:
        try:
            return process.wait()
        except (
            KeyboardInterrupt
        ):  # JupyterLab got the same Ctrl-C, asks whether to stop, and shuts its kernels down
            continue


# ---- run


def _run_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("image", help="a path, an http(s) address, or a sample's name")
    parser.add_argument(
        "task", help="a task such as OD, caption or region-to-category (the <> may be left out)"
    )
    parser.add_argument("text", nargs="?", help="the phrase, for tasks that take one")
    parser.add_argument(
        "--region", nargs=4, type=float, metavar=("X1", "Y1", "X2", "Y2"), help="a region, in pixels"
    )
    parser.add_argument(
        "--checkpoint",
        default="mini",
        help="mini (default), base, base-ft, large, large-ft, a hub id or a folder",
    )
    parser.add_argument("--device", help="cuda, mps or cpu (default: the best that is there)")
    parser.add_argument("--dtype", help="float32, float16 or bfloat16 (default: by device)")
    parser.add_argument("--beams", type=int, default=3, help="beams of the search (default 3)")
    parser.add_argument("--max-new-tokens", type=int, default=1024, help="longest answer (default 1024)")
    parser.add_argument(
        "--sample", action="store_true", help="draw the answer by chance; with --temperature, --top-p, --seed"
    )
    parser.add_argument("--temperature", type=float)
    parser.add_argument("--top-p", type=float)
    parser.add_argument("--seed", type=int)
    parser.add_argument(
        "--save", type=Path, metavar="PICTURE", help="where the picture goes (default: IMAGE-TASK.png, here)"
    )
    parser.add_argument("--no-save", action="store_true", help="save no picture")
    parser.set_defaults(action=_run)


def _run(options: argparse.Namespace) -> int:
    from .images import open_image
    from .loading import load
    from .tasks import build_prompt

    # A wrong question should not cost the time of loading a model, so everything is looked at first.
    task, text_input, settings = _task_marker(options.task), _text_input(options), _generation(options)
    image = open_image(options.image)
    build_prompt(task, text_input, image.size)
    target = None if options.no_save else _target(options, task)
    with contextlib.redirect_stdout(sys.stderr):  # what load has to say is no part of the JSON
        florence = load(options.checkpoint, device=options.device, dtype=options.dtype)
    answer = florence.run_example(task, image, text_input, **settings)
    _print_json(answer)
    if target:
        _save(answer, target)
    return 0


def _task_marker(text: str) -> str:
    """A shell reads "<" as a redirection, so "od" and "region-to-category" are taken too."""
    return "<" + text.strip().strip("<>").upper().replace("-", "_").replace(" ", "_") + ">"


def _text_input(options: argparse.Namespace) -> str | list[float] | None:
    if options.region and options.text is not None:
        raise InputError("Give either TEXT or --region, not both: no task takes a phrase and a region.")
    return options.region or options.text


def _generation(options: argparse.Namespace) -> dict:
    wanted = {"temperature": options.temperature, "top_p": options.top_p, "seed": options.seed}
    given = {key: value for key, value in wanted.items() if value is not None}
    if given and not options.sample:
        raise InputError(
            f"No use of {', '.join('--' + key.replace('_', '-') for key in given)} without --sample: add it."
        )
    for key, lowest in (("beams", 1), ("max_new_tokens", 1)):
        if getattr(options, key) < lowest:
            raise InputError(
                f"--{key.replace('_', '-')} is {getattr(options, key)}, but must be {lowest} or more."
            )
    lengths = {"num_beams": options.beams, "max_new_tokens": options.max_new_tokens}
    return {**lengths, "do_sample": options.sample, **given}


def _target(options: argparse.Namespace, task: str) -> Path:
    """Where the picture will go; a place that cannot be written is found before the model runs."""
    from PIL import Image

    stem = _stem(options.image)
    target = options.save or Path(f"{stem}-{task.strip('<>').lower().replace('_', '-')}.png")
    if Image.registered_extensions().get(target.suffix.lower()) not in Image.SAVE:
        raise InputError(
            f"--save {target}: no picture format has the ending {target.suffix or '(none)'!r}, use .png or"
            " .jpg."
        )
    if not os.path.isdir(target.parent):
        raise InputError(f"--save {target}: there is no folder {target.parent}, make it first.")
    if not os.access(target if os.path.exists(target) else target.parent, os.W_OK):
        raise InputError(f"--save {target} may not be written: choose a folder of your own.")
    if os.path.exists(target) and os.path.exists(options.image) and target.samefile(options.image):
        raise InputError(f"--save {target} would overwrite the picture you ask about: choose another name.")
    return target


def _stem(image: str) -> str:
    """The name of the picture without its ending; "picture" for text that is the picture itself."""
    if image.lower().startswith("data:") or (len(image) > 255 and "://" not in image):
        return "picture"
    return re.sub(r"[^\w. -]", "", Path(image.split("?")[0]).stem).strip()[:80] or "picture"


def _print_json(answer: Answer) -> None:
    ascii_only = (
        "utf" not in (sys.stdout.encoding or "").lower()
    )  # an older Windows console cannot print every letter
    print(json.dumps(answer.to_dict(), ensure_ascii=ascii_only, indent=2))


def _save(answer: Answer, target: Path) -> None:
    from .drawing import show

    try:
        show(answer, width=1024).save(target)
    except OSError as error:
        raise InputError(
            f"The picture could not be saved as {target} ({error.strerror or error}): use another --save."
        ) from error
    _say(f"picture saved to {target}")


# ---- fetch


def _fetch_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", help="base, base-ft, large, large-ft or a hub id")
    parser.add_argument(
        "--revision", help="a branch, tag or commit of the hub's repository (default: its main branch)"
    )
    parser.set_defaults(action=_fetch)


def _fetch(options: argparse.Namespace) -> int:
    from .checkpoints import fetch

    _check_disk(options.name)
    folder = fetch(options.name, revision=options.revision)
    print(_how_to_use(options.name, folder, options.revision))
    return 0


def _check_disk(name: str) -> None:
    from .check import cache_folder, free_bytes, is_here
    from .checkpoints import CHECKPOINTS

    need = CHECKPOINTS[name].download_bytes if name in CHECKPOINTS else 0
    free = free_bytes(cache_folder())
    if free < need and not is_here(name):
        raise CheckpointError(
            f"{name} takes {need / 1e6:.0f} MB, but the disk of {cache_folder()} has {free / 1e6:.0f} MB"
            " free: free some space, or set HF_HOME to a folder on a larger disk."
        )


def _how_to_use(name: str, folder: Path, revision: str | None) -> str:
    if name == "mini":
        return 'mini is part of the package, nothing is to fetch: florence_nb.load("mini")'
    exact = f', revision="{revision}"' if revision else ""
    return (
        f"{name} is in {folder}\n"
        f'Here, without network:  florence_nb.load("{name}"{exact}, local_files_only=True)\n'
        "On another machine:     copy that folder there, links as files (cp -rL), then"
        ' florence_nb.load("path/of/the/copy")'
    )


# ---- export


def _export_options(parser: argparse.ArgumentParser) -> None:
    from .export.names import SUFFIXES

    parser.add_argument("folder", type=Path, metavar="DIR", help="where the graphs and settings go")
    parser.add_argument("--checkpoint", default="mini", help="mini (default), base, a hub id or a folder")
    parser.add_argument(
        "--precision",
        default="float16",
        choices=tuple(SUFFIXES),
        help="of the stored weights (default float16); int8 is smaller, and changes some answers",
    )
    parser.set_defaults(action=_export)


def _export(options: argparse.Namespace) -> int:
    from .export import export_onnx

    print(export_onnx(options.folder, options.checkpoint, options.precision))
    return 0


# ---- slides


def _slides_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--out", type=Path, default=Path("slides"), help="the folder (default: slides)")
    parser.set_defaults(action=_slides)


def _slides(options: argparse.Namespace) -> int:
    if importlib.util.find_spec("markdown_it") is None:
        raise InputError("The slides need one more package: pip install markdown-it-py")
    from .kit.slides import write_slides

    files = write_slides(options.out)
    _say(f"{len(files)} files. Open one in a browser: arrow keys turn the slides, n shows the notes.")
    print(options.out)
    return 0


# ---- page


def _page_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("out", type=Path, help="the folder to write into (with --single also a file .html)")
    parser.add_argument(
        "--checkpoint", default="mini", help="mini (default), or a folder with a fine-tuned mini"
    )
    parser.add_argument(
        "--single", action="store_true", help="one HTML file with everything in it; it opens without a server"
    )
    parser.set_defaults(action=_page)


def _page(options: argparse.Namespace) -> int:
    from .page.build import write_page

    page = write_page(options.out, options.checkpoint, single=options.single)
    how = "Open it in a browser" if options.single else f"florence-nb serve --page {options.out} shows it"
    _say(f"{how}: it needs no network.")
    print(page)
    return 0


# ---- serve


def _serve_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--host", default="", help="listen on, and show, only this address of the machine")
    parser.add_argument("--port", type=int, help="default: 8000, or the next one that is free")
    parser.add_argument(
        "--address",
        default="",
        help="what phones are told, if not the address found (behind a router, in WSL)",
    )
    parser.add_argument(
        "--page", type=Path, metavar="FOLDER", help="what florence-nb page wrote (default: anew)"
    )
    parser.add_argument(
        "--site", type=Path, metavar="FOLDER", help="a site to read, such as make site writes"
    )
    parser.add_argument("--kit", type=Path, metavar="FOLDER", help="what florence-nb pack wrote")
    parser.add_argument("--wifi", default="", metavar="NAME", help="the name of the Wi-Fi, for the slide")
    parser.add_argument(
        "--qr-slide", type=Path, metavar="FILE.html", help="also write the slide with the code here"
    )
    parser.set_defaults(action=_serve)


def _serve(options: argparse.Namespace) -> int:
    from .serve.room import serve

    named = ("host", "port", "address", "page", "site", "kit", "wifi", "qr_slide")
    serve(**{name: getattr(options, name) for name in named}, say=_say)
    return 0


# ---- class-report


def _class_report_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "file",
        type=Path,
        help="a text file with what people pasted: reports, the test before and after, exit answers",
    )
    parser.set_defaults(action=_class_report)


def _class_report(options: argparse.Namespace) -> int:
    from .exercises.report import class_report, read_pasted, reports_in
    from .kit.survey import survey

    text = read_pasted(options.file)
    learned = survey(text.splitlines())
    parts = [learned] if learned and not reports_in(text) else [class_report(text), learned]
    print("\n\n".join(filter(None, parts)))
    return 0


# ---- pack, unpack


def _pack_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--out", type=Path, required=True, metavar="FOLDER", help="a new folder, or one to go on with"
    )
    parser.add_argument(
        "--checkpoint", nargs="+", default=[], metavar="NAME", help="base, large …, a hub id or a folder"
    )
    parser.add_argument(
        "--platform",
        nargs="+",
        default=[],
        metavar="NAME",
        help="windows macos linux linux-arm (default: this)",
    )
    parser.add_argument(
        "--python", nargs="+", default=[], metavar="VERSION", help="such as 3.12 3.13 (default: this one's)"
    )
    parser.set_defaults(action=_pack)


def _pack(options: argparse.Namespace) -> int:
    from .kit.pack import bytes_of, pack

    for name in options.checkpoint:
        _check_disk(name)
    folder = pack(
        options.out,
        checkpoints=options.checkpoint,
        platforms=options.platform,
        pythons=options.python,
        say=_say,
    )
    print(f"{folder} is whole ({bytes_of(folder) / 1e6:.0f} MB). On a laptop: python3 {folder}/install.py")
    return 0


def _unpack_options(parser: argparse.ArgumentParser) -> None:
    from .kit import unpack

    parser.add_argument("kit", type=Path, help="the folder that pack wrote")
    unpack.options(parser)
    parser.set_defaults(action=_unpack)


def _unpack(options: argparse.Namespace) -> int:
    from .kit import unpack

    try:
        return unpack.run(options)
    except unpack.KitError as error:
        raise InputError(str(error)) from error


# ---- record


def _record_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("checkpoint", help="mini, base, base-ft, large, large-ft, a hub id or a folder")
    parser.add_argument("--pictures", type=Path, metavar="FOLDER", help="default: those of the package")
    parser.add_argument("--out", type=Path, required=True, metavar="FILE.json", help="goes on if it is there")
    parser.add_argument("--with-pictures", action="store_true", help="keep the folder's pictures in the file")
    parser.add_argument("--revision", help="a branch, tag or commit of the hub's repository")
    parser.add_argument("--device", help="cuda, mps or cpu (default: the best that is there)")
    parser.add_argument("--dtype", help="float32, float16 or bfloat16 (default: by device)")
    parser.add_argument("--batch-size", type=int, default=8, help="questions at once (default 8)")
    parser.set_defaults(action=_record)


def _record(options: argparse.Namespace) -> int:
    from .loading import load
    from .recording import check, record

    check(options.pictures, options.out)  # a model takes long to load
    where = {"device": options.device, "dtype": options.dtype, "revision": options.revision}
    florence = load(options.checkpoint, quiet=True, **where)
    print(record(florence, options.pictures, options.out, **_how(options)))
    print(f'In Python: florence_nb.load("{options.out}")')
    return 0


def _how(options: argparse.Namespace) -> dict:
    return {"with_pictures": options.with_pictures, "batch_size": options.batch_size}
