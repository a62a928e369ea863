"""`load`: names, twins, folders, what is refused and why; and it never takes much more memory than the
weights.
"""

from __future__ import annotations

import http.server
import importlib
import json
import os
import shutil
import socket
import ssl
import subprocess
import sys
import threading
from pathlib import Path

import pytest
import torch

from florence_nb import CHECKPOINTS, CheckpointError, InputError, checkpoints, load, loading
from florence_nb.checkpoints import MINI_FOLDER, hub_id
from tests import tiny


@pytest.fixture(scope="module")
def saved(tmp_path_factory) -> Path:
    return tiny.save(tmp_path_factory.mktemp("checkpoints") / "tiny")


@pytest.fixture
def folder(saved, tmp_path) -> Path:
    """A copy to spoil."""
    return Path(shutil.copytree(saved, tmp_path / "copy"))


@pytest.fixture
def hub(monkeypatch, saved):
    """A hub whose snapshot is the tiny checkpoint; the cache is empty unless `cached` says otherwise."""
    import huggingface_hub

    class Hub:
        cached = False
        error: Exception | None = None
        folder = saved
        asked: list = []

    def snapshot_download(repository, *, revision=None, local_files_only=False, **options):
        Hub.asked.append((repository, revision, local_files_only))
        if local_files_only and not Hub.cached:
            raise FileNotFoundError("not cached")
        if Hub.error and not local_files_only:
            raise Hub.error
        return str(Hub.folder)

    monkeypatch.setattr(Hub, "asked", [])
    monkeypatch.setattr(huggingface_hub, "snapshot_download", snapshot_download)
    return Hub


def edit(folder: Path, name: str, **changes) -> None:
    content = json.loads((folder / name).read_text())
    (folder / name).write_text(json.dumps(content | changes))


# ---- a folder


def test_a_folder_loads_and_answers(saved, capfd):
    for name in (saved, str(saved)):
        florence = load(name)
        assert florence.name == str(saved) and not florence.model.training
        assert florence.run_example("<OD>", "coffee", max_new_tokens=4).task == "<OD>"
    assert capfd.readouterr() == ("", "")


def test_it_equals_plain_transformers(saved):
    from transformers import AutoProcessor, Florence2ForConditionalGeneration

    ours, plain = load(saved), Florence2ForConditionalGeneration.from_pretrained(saved)
    expected = plain.state_dict()
    assert all(torch.equal(weight, expected[name]) for name, weight in ours.model.state_dict().items())
    assert all(torch.equal(b, dict(plain.named_buffers())[name]) for name, b in ours.model.named_buffers())
    assert ours.model.lm_head.weight is ours.model.get_input_embeddings().weight
    assert ours.model.generation_config.to_dict() == plain.generation_config.to_dict()
    assert ours.model.config.to_diff_dict() == plain.config.to_diff_dict()
    assert type(ours.processor) is type(AutoProcessor.from_pretrained(saved))


def test_weights_in_several_files(saved, tmp_path):
    shards = shutil.copytree(saved, tmp_path / "shards", ignore=shutil.ignore_patterns("*.safetensors"))
    load(saved).model.save_pretrained(shards, max_shard_size="100KB")
    assert len(list(Path(shards).glob("*.safetensors"))) > 1
    one, several = load(saved), load(shards)
    assert (
        one.run_example("<OD>", "coffee", max_new_tokens=8).raw
        == several.run_example("<OD>", "coffee", max_new_tokens=8).raw
    )
    next(Path(shards).glob("*.safetensors")).unlink()
    with pytest.raises(CheckpointError, match="incomplete"):
        load(shards)


@pytest.mark.parametrize(
    "asked", ["float16", "bfloat16", "float32", "fp16", "bf16", torch.float16, "torch.bfloat16"]
)
def test_dtypes(saved, asked):
    florence = load(saved, dtype=asked)
    expected = {"fp16": "float16", "bf16": "bfloat16"}.get(asked, str(asked).removeprefix("torch."))
    assert florence.dtype == getattr(torch, expected)
    assert all(weight.dtype == florence.dtype for weight in florence.model.parameters())
    assert florence.run_example("<OD>", "coffee", max_new_tokens=4)


@pytest.mark.parametrize("attention", ["eager", "sdpa"])
def test_attention(saved, attention):
    assert load(saved, attn_implementation=attention).model.config._attn_implementation == attention


def test_cache_off(saved):
    florence = load(saved, cache=False)
    florence.run_example("<OD>", "coffee", max_new_tokens=2)
    assert len(florence.feature_cache) == 0


# ---- what this machine has


@pytest.mark.parametrize(
    "cuda, mps, device, dtype",
    [(True, False, "cuda", "float16"), (False, True, "mps", "float32"), (False, False, "cpu", "float32")],
)
def test_device_and_dtype_are_chosen_by_what_is_there(monkeypatch, cuda, mps, device, dtype):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: cuda)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: mps)
    assert loading._device(None) == torch.device(device)
    assert loading._dtype(None, torch.device(device)) == getattr(torch, dtype)


@pytest.mark.parametrize(
    "installed, capability, device, dtype, expected",
    [
        (True, (8, 0), "cuda", torch.float16, "flash_attention_2"),
        (True, (9, 0), "cuda", torch.bfloat16, "flash_attention_2"),
        (False, (9, 0), "cuda", torch.float16, "sdpa"),
        (True, (7, 5), "cuda", torch.float16, "sdpa"),
        (True, (9, 0), "cuda", torch.float32, "sdpa"),
        (True, (9, 0), "cpu", torch.float16, "sdpa"),
    ],
)
def test_flash_attention_only_where_all_of_it_is_there(
    monkeypatch, installed, capability, device, dtype, expected
):
    monkeypatch.setattr(loading.importlib.util, "find_spec", lambda name: object() if installed else None)
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device: capability)
    assert loading._attention(torch.device(device), dtype) == expected


@pytest.mark.parametrize(
    "options, words",
    [
        ({"device": "gpu"}, "There is no device 'gpu'"),
        ({"dtype": "int8"}, "dtype='int8' is not for Florence-2: take 'float32'"),
        ({"dtype": torch.float64}, "is not for Florence-2"),
        ({"attn_implementation": "flash_attention_2"}, "not installed here: leave it out"),
        ({"attn_implementation": "fancy"}, "not installed here: leave it out"),
    ],
)
def test_options_that_do_not_exist(saved, options, words):
    with pytest.raises(InputError, match=words):
        load(saved, **options)


def test_a_device_that_is_not_there(saved, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(InputError, match="PyTorch sees no cuda device here"):
        load(saved, device="cuda")


# ---- names


@pytest.mark.parametrize(
    "name, expected",
    [
        ("base", "florence-community/Florence-2-base"),
        ("large-ft", "florence-community/Florence-2-large-ft"),
        ("microsoft/Florence-2-large", "florence-community/Florence-2-large"),
        ("Microsoft/florence-2-base-ft", "florence-community/Florence-2-base-ft"),
        ("florence-community/Florence-2-large", "florence-community/Florence-2-large"),
        ("Florence-2-base", "florence-community/Florence-2-base"),
        ("someone/my-florence", "someone/my-florence"),
    ],
)
def test_hub_ids(name, expected):
    assert hub_id(name) == expected


@pytest.mark.parametrize("name", ["larg", "", "microsoft/Florence-2", "microsoft/phi-4", "a/b/c", "mini/x/y"])
def test_names_that_are_none(name):
    with pytest.raises(CheckpointError, match="take one of mini, base, base-ft, large, large-ft"):
        hub_id(name)


def test_a_microsoft_name_takes_the_twin_and_says_so_once(hub, capsys):
    florence = load("microsoft/Florence-2-large")
    assert (
        florence.name == "microsoft/Florence-2-large"
        and hub.asked[-1][0] == "florence-community/Florence-2-large"
    )
    printed = capsys.readouterr().out.splitlines()
    assert len(printed) == 1 and "taking its native version florence-community/Florence-2-large" in printed[0]
    load("microsoft/Florence-2-large", quiet=True)
    assert capsys.readouterr().out == ""


def test_a_folder_is_not_taken_for_a_name(saved, monkeypatch, hub):
    monkeypatch.chdir(saved.parent)
    (saved.parent / "base").mkdir(exist_ok=True)
    assert load("tiny").name == "tiny" and hub.asked == []
    load("base")
    assert hub.asked[-1][0] == "florence-community/Florence-2-base"


@pytest.mark.parametrize("name", ["./nowhere", "/no/where", "~/no-where", Path("nowhere")])
def test_a_folder_that_is_not_there(name):
    with pytest.raises(CheckpointError, match="There is no folder .*where"):
        load(name)


# ---- cache and network


def test_what_is_cached_needs_no_network(hub):
    hub.cached, hub.error = True, OSError("no network")
    for local in (None, True):
        assert load("base", local_files_only=local)
    assert {local for _, _, local in hub.asked} == {True}


def test_newer_versions_only_when_asked(hub):
    hub.cached = True
    load("base", local_files_only=False, revision="v2")
    assert hub.asked == [("florence-community/Florence-2-base", "v2", False)]


def test_a_part_in_the_cache_is_completed(hub, folder, saved):
    (folder / "model.safetensors").unlink()
    hub.cached, hub.folder = True, folder
    with pytest.raises(CheckpointError, match="sent only a part"):
        load("base")
    assert [local for _, _, local in hub.asked] == [True, False]


@pytest.mark.parametrize(
    "kind, words",
    [
        ("LocalEntryNotFoundError", "huggingface.co, but it did not answer"),
        ("OfflineModeIsEnabled", "but HF_HUB_OFFLINE is set"),
        ("RepositoryNotFoundError", "which knows no such checkpoint"),
        ("OSError", "which failed: OSError: disk full"),
    ],
)
def test_without_network_the_error_says_what_was_tried_and_three_ways_on(hub, kind, words):
    hub.error = (
        OSError("disk full\nmore") if kind == "OSError" else type(kind, (Exception,), {})("long\nstory")
    )
    with pytest.raises(CheckpointError) as caught:
        load("large")
    message = str(caught.value)
    for part in (
        "florence-community/Florence-2-large, 1.5 GB",
        "the cache on this disk",
        words,
        'load("mini")',
        "florence-nb fetch large",
    ):
        assert part in message
    assert "the path of a folder" in message and "\n" not in message and caught.value.__cause__ is hub.error


def test_messages_stay_short_whatever_the_name(hub):
    hub.error = OSError("x" * 3000)
    with pytest.raises(CheckpointError) as caught:
        load("someone/" + "long-name-" * 30)
    assert len(str(caught.value)) <= 500
    for name in ("x" * 5000, "a\0b", "~nobody42/model", "./" + "x" * 5000, "/" + "a/" * 900, "b c/d"):
        with pytest.raises(CheckpointError) as caught:
            load(name)
        assert len(str(caught.value)) <= 500 and "\n" not in str(caught.value)
    for name in (None, 5, b"base", ["base"]):
        with pytest.raises(CheckpointError, match="text or a path"):
            load(name)


ANSWERS = {
    "401 token": (
        401,
        {"X-Error-Message": "Invalid credentials in Authorization header"},
        ["token", "HF_TOKEN"],
    ),
    "401": (401, {}, ["knows no such checkpoint, or wants a login"]),
    "403": (403, {}, ["403", "token"]),
    "gated": (403, {"X-Error-Code": "GatedRepo"}, ["licence", "hf auth login"]),
    "404": (404, {"X-Error-Code": "RepoNotFound"}, ["knows no such checkpoint", "name"]),
    "revision": (404, {"X-Error-Code": "RevisionNotFound"}, ["no such revision"]),
    "404 of a mirror": (404, {}, ["404", "HF_ENDPOINT"]),
    "407": (407, {}, ["proxy", "login"]),
    "429": (429, {}, ["429", "Wait"]),
    "500": (500, {}, ["500", "later"]),
    "418": (418, {}, ["418"]),
    "login page": (200, {}, ["something else answered", "log in to the network"]),
}


@pytest.fixture
def real_hub(monkeypatch, tmp_path):
    """The real client, asking a server of ours; `answers` is (status, headers) of whatever is asked."""
    import huggingface_hub

    class Hub(http.server.BaseHTTPRequestHandler):
        answer: tuple = (404, {})

        def do_GET(self):
            status, headers = Hub.answer
            self.send_response(status)
            for key, value in {**headers, "Content-Length": "20"}.items():
                self.send_header(key, value)
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(b"<html>a page</html>\n")

        do_HEAD = do_GET

        def log_message(self, *_):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Hub) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        for name in [name for name in os.environ if name.lower().endswith("_proxy")]:
            monkeypatch.delenv(name)
        real, options = (
            huggingface_hub.snapshot_download,
            {"cache_dir": tmp_path / "cache", "endpoint": f"http://127.0.0.1:{server.server_port}"},
        )
        monkeypatch.setattr(huggingface_hub, "snapshot_download", lambda *a, **k: real(*a, **k, **options))
        monkeypatch.setattr(huggingface_hub.constants, "ENDPOINT", options["endpoint"])
        yield Hub
        server.shutdown()


@pytest.mark.parametrize("kind", list(ANSWERS))
def test_what_the_hub_answers_is_told_with_its_cure(kind, real_hub, monkeypatch):
    monkeypatch.delenv("HF_TOKEN", raising=False)
    status, headers, words = ANSWERS[kind]
    real_hub.answer = (status, headers)
    with pytest.raises(CheckpointError) as caught:
        load("someone/florence")
    text = str(caught.value)
    assert all(word in text for word in words) and "did not answer" not in text, text
    assert "HF_ENDPOINT" in text and len(text) <= 500 and "\n" not in text


def test_a_stale_token_is_blamed_for_a_published_checkpoint(real_hub, monkeypatch):
    real_hub.answer = (401, {})
    monkeypatch.setenv("HF_TOKEN", "hf_of_last_year")
    with pytest.raises(CheckpointError, match="refuses your token.*unset HF_TOKEN"):
        load("base")


def wrapped(error: Exception) -> Exception:
    """As huggingface_hub wraps what happened."""
    from huggingface_hub.errors import LocalEntryNotFoundError

    outer = LocalEntryNotFoundError("An error happened while trying to locate the files on the Hub\nGot: …")
    outer.__cause__ = error
    return outer


def net_fault(name: str, *causes: Exception) -> Exception:
    error = type(name, (Exception,), {})("it failed")
    for outer, inner in zip((error, *causes), causes):
        outer.__cause__ = inner
    return error


UNVERIFIED = (
    "[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: unable to get local issuer certificate"
)
SOCKS = "Using SOCKS proxy, but the 'socksio' package is not installed."


@pytest.mark.parametrize(
    "error, words",
    [
        (OSError(28, "No space left on device"), "disk is full. Free some space, or set HF_HOME"),
        (RuntimeError("Data processing error: IO Error: No space left (os error 28)"), "disk is full"),
        (PermissionError(13, "Permission denied"), "may not be written (no rights). Set HF_HOME"),
        (OSError(30, "Read-only file system"), "read-only"),
        (OSError(122, "Disk quota exceeded"), "quota"),
        (net_fault("ConnectError", ssl.SSLCertVerificationError(1, UNVERIFIED)), "SSL_CERT_FILE"),
        (net_fault("ConnectError", socket.gaierror(-2, "Name or service not known")), "no network"),
        (net_fault("ConnectTimeout", TimeoutError("timed out")), "did not answer in time"),
        (net_fault("ProxyError"), "HTTPS_PROXY"),
        (ImportError(SOCKS), "httpx[socks]"),
        (net_fault("OfflineModeIsEnabled"), "HF_HUB_OFFLINE is set"),
    ],
)
@pytest.mark.parametrize("wrap", [wrapped, lambda error: error])
def test_faults_of_disk_and_net_are_told_with_their_cure(error, words, wrap, hub):
    hub.error = wrap(error)
    with pytest.raises(CheckpointError) as caught:
        load("base")
    text = str(caught.value)
    assert words in text and len(text) <= 500 and "\n" not in text, text
    assert "fetch it again" not in text


def test_a_proxy_in_between_is_named(hub, monkeypatch):
    monkeypatch.setenv("HTTPS_PROXY", "http://ann:s3cret-pw@127.0.0.1:9")
    hub.error = wrapped(net_fault("ConnectError", ConnectionRefusedError(111, "Connection refused")))
    with pytest.raises(CheckpointError, match="the proxy http://127.0.0.1:9 refuses") as caught:
        load("base")
    assert "s3cret" not in str(caught.value)


def test_a_cache_that_may_not_be_read_is_named(hub, monkeypatch):
    def refuse(_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(checkpoints.os, "scandir", refuse)
    with pytest.raises(CheckpointError, match="which you may not read.*HF_HOME"):
        load("base", local_files_only=True)


def test_local_files_only_asks_no_network(hub):
    with pytest.raises(CheckpointError, match="local_files_only=True forbids the network"):
        load("base", local_files_only=True)
    assert all(local for _, _, local in hub.asked)


def test_the_real_client_without_a_network(monkeypatch, tmp_path):
    import huggingface_hub

    real, nowhere = (
        huggingface_hub.snapshot_download,
        {"cache_dir": tmp_path, "endpoint": "http://127.0.0.1:9"},
    )
    monkeypatch.setattr(huggingface_hub, "snapshot_download", lambda *a, **k: real(*a, **k, **nowhere))
    for name in [name for name in os.environ if name.lower().endswith("_proxy")]:
        monkeypatch.delenv(name)
    with pytest.raises(CheckpointError, match="but the host refuses the connection"):
        load("base-ft")


# ---- checkpoints that are refused


def test_a_missing_weight_is_an_error(folder):
    from safetensors.torch import load_file, save_file

    weights = load_file(folder / "model.safetensors")
    del weights["model.multi_modal_projector.image_projection.weight"]
    save_file(weights, folder / "model.safetensors", {"format": "pt"})
    with pytest.raises(
        CheckpointError, match="1 are missing or of the wrong shape, such as model.multi_modal_projector"
    ):
        load(folder)


def test_a_weight_of_another_shape_is_an_error(folder):
    from safetensors.torch import load_file, save_file

    weights = load_file(folder / "model.safetensors")
    weights["model.multi_modal_projector.image_projection.weight"] = torch.zeros(3, 3)
    save_file(weights, folder / "model.safetensors", {"format": "pt"})
    with pytest.raises(CheckpointError):
        load(folder)


def test_damaged_weights(folder):
    data = (folder / "model.safetensors").read_bytes()
    (folder / "model.safetensors").write_bytes(data[: len(data) // 2])
    with pytest.raises(CheckpointError, match="cannot be read .* damaged, fetch them again"):
        load(folder)


POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"0" * 64 + b"\nsize 463221266\n"


@pytest.mark.parametrize(
    "file",
    [
        "model.safetensors",
        "config.json",
        "tokenizer.json",
        "tokenizer_config.json",
        "model.safetensors.index.json",
    ],
)
def test_a_git_lfs_pointer_is_named(folder, file):
    (folder / file).write_bytes(POINTER)
    with pytest.raises(CheckpointError, match=f"{file} is a Git LFS pointer .*git lfs pull") as caught:
        load(folder)
    assert "again" not in str(caught.value)


@pytest.mark.parametrize("content", ["{", "[]", '{"weight_map": 3}', "{}"])
def test_a_damaged_index_of_weights(folder, content):
    (folder / "model.safetensors.index.json").write_text(content)
    with pytest.raises(CheckpointError, match="incomplete"):
        load(folder)


@pytest.mark.parametrize("content", ["", "[]", "7", '{"model_type": "florence2", "vision_config": 3}'])
def test_a_damaged_configuration(folder, content):
    (folder / "config.json").write_text(content)
    with pytest.raises(CheckpointError, match="no readable config.json"):
        load(folder)


def test_files_that_may_not_be_read(folder, monkeypatch):
    real = Path.open

    def locked(path, *rest, **options):
        if path.name == "model.safetensors":
            raise PermissionError(13, "Permission denied")
        return real(path, *rest, **options)

    monkeypatch.setattr(Path, "open", locked)
    with pytest.raises(CheckpointError, match="Permission denied.*your rights") as caught:
        load(folder)
    assert "again" not in str(caught.value)


OLD = "__new__() got an unexpected keyword argument 'backend'"


@pytest.mark.parametrize(
    "error, kind, words",
    [
        (TypeError(OLD), CheckpointError, "safetensors is too old"),
        (MemoryError(), InputError, "do not fit in the memory"),
        (RuntimeError("DefaultCPUAllocator: not enough memory: you tried to allocate"), InputError, "memory"),
        (OSError(5, "Input/output error"), CheckpointError, "check the disk"),
        (ImportError("libgomp.so.1: cannot open"), CheckpointError, "florence-nb check"),
    ],
)
def test_only_damage_is_to_be_fetched_again(saved, monkeypatch, error, kind, words):
    def fail(*_, **__):
        raise error

    monkeypatch.setattr("safetensors.safe_open", fail)
    with pytest.raises(kind, match=words) as caught:
        load(saved)
    assert "again" not in str(caught.value) and len(str(caught.value)) <= 500


def test_an_old_safetensors_is_named_with_the_version_that_is_needed(saved, monkeypatch):
    check = importlib.import_module("florence_nb.check")
    real = check._version
    monkeypatch.setattr(check, "_version", lambda name: "0.4.0" if name == "safetensors" else real(name))
    monkeypatch.setattr("safetensors.safe_open", lambda path, framework: None)
    with pytest.raises(CheckpointError, match='too old .*pip install "safetensors>=0.8"'):
        load(saved)


def test_a_transformers_that_cannot_be_imported_is_named(saved, monkeypatch):
    reason = (
        "safetensors>=0.8.0 is required for a normal functioning of this module, but found 0.5.3.\nTry: …"
    )

    class Broken:
        def __getattr__(self, name):
            raise ImportError(reason)

    monkeypatch.setitem(sys.modules, "transformers", Broken())
    with pytest.raises(CheckpointError, match="safetensors>=0.8.0 is required.*florence-nb check") as caught:
        load(saved)
    assert "\n" not in str(caught.value)


def test_a_device_without_room_or_driver(saved, monkeypatch):
    for text, words in (
        ("CUDA out of memory. Tried", "do not fit"),
        ("CUDA error: no kernel image", "'cpu'"),
    ):

        def fail(*_, text=text, **__):
            raise RuntimeError(text)

        monkeypatch.setattr(torch.nn.Module, "to", fail)
        with pytest.raises(InputError, match=words):
            load(saved)


def test_no_weights(folder):
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")
    with pytest.raises(CheckpointError, match=r"incomplete: it needs config.json, \*.safetensors"):
        load(folder)


def test_no_configuration(tmp_path):
    with pytest.raises(CheckpointError, match="has no readable config.json"):
        load(tmp_path)


def test_another_model(folder):
    edit(folder, "config.json", model_type="bart")
    with pytest.raises(CheckpointError, match="is not a Florence-2 but 'bart'"):
        load(folder)


@pytest.mark.parametrize("vision", [{"model_type": "davit"}, {"dim_embed": [256, 512, 1024, 2048]}])
def test_the_layout_of_2024_is_refused_and_its_code_never_run(folder, vision, capsys):
    edit(folder, "config.json", vision_config=vision, auto_map={"AutoConfig": "evil.Config"})
    (folder / "evil.py").write_text("print('it ran')")
    with pytest.raises(CheckpointError, match="layout of 2024, which needs remote code"):
        load(folder)
    assert "it ran" not in capsys.readouterr().out


def test_code_beside_a_native_checkpoint_is_never_run(folder, capfd):
    code = {
        "AutoConfig": "evil.C",
        "AutoModel": "evil.M",
        "AutoProcessor": "evil.P",
        "AutoTokenizer": ["evil.T", "evil.T"],
    }
    (folder / "evil.py").write_text("print('it ran')")
    for name in ("config.json", "tokenizer_config.json", "processor_config.json"):
        edit(folder, name, auto_map=code)
    try:
        load(folder)
    except CheckpointError:
        pass
    out = capfd.readouterr().out
    assert "it ran" not in out and "y/N" not in out


def test_a_tokenizer_of_something_else(folder):
    (folder / "tokenizer.json").write_text("{}")
    with pytest.raises(CheckpointError, match="processor files of .* cannot be read"):
        load(folder)


def test_the_real_large_configuration_is_of_2024(large_files):
    with pytest.raises(CheckpointError, match="layout of 2024"):
        loading._check_folder(large_files, "large")


# ---- the table, and mini


def test_the_table():
    assert list(CHECKPOINTS) == ["mini", "base", "base-ft", "large", "large-ft"]
    for row in list(CHECKPOINTS.values())[1:]:
        assert (
            row.hub_id.startswith("florence-community/") and 1.9 < row.download_bytes / row.parameters < 2.1
        )


def test_parameters_in_the_table_are_those_of_the_real_configuration(large_files):
    from transformers import Florence2Config, Florence2ForConditionalGeneration

    old = json.loads((large_files / "config.json").read_text())
    vision = {
        key: old["vision_config"][key]
        for key in ("num_heads", "num_groups", "depths", "window_size", "projection_dim")
    }
    text = {
        key: value
        for key, value in old["text_config"].items()
        if key.startswith(("d_", "encoder_", "decoder_", "max_"))
    }
    config = Florence2Config(
        vision_config={"embed_dim": old["vision_config"]["dim_embed"], **vision},
        text_config={"model_type": "bart", "vocab_size": 51328, **text},
    )
    with torch.device("meta"):
        model = Florence2ForConditionalGeneration(config)
    assert sum(weight.numel() for weight in model.parameters()) == CHECKPOINTS["large"].parameters


def test_mini_says_in_one_line_what_it_cannot_do(monkeypatch, saved, capsys):
    for module in (checkpoints, loading):
        monkeypatch.setattr(module, "MINI_FOLDER", saved)
    assert load().name == "mini"
    printed = capsys.readouterr().out.splitlines()
    assert len(printed) == 1
    assert all(
        words in printed[0]
        for words in ("drawn scenes only", "no photographs", 'load("base")', 'load("large")')
    )
    load("mini", quiet=True)
    assert capsys.readouterr().out == ""


def test_mini_that_is_missing(monkeypatch, tmp_path):
    monkeypatch.setattr(checkpoints, "MINI_FOLDER", tmp_path)
    with pytest.raises(CheckpointError, match="install florence-nb again"):
        load("mini")


@pytest.mark.skipif(
    not (MINI_FOLDER / "config.json").is_file(), reason="the mini checkpoint is not in this tree yet"
)
def test_mini_of_the_package(capfd):
    florence = load("mini", quiet=True)
    row = CHECKPOINTS["mini"]
    assert sum(weight.numel() for weight in florence.model.parameters()) == row.parameters
    assert florence.run_example("<OD>", "coffee", max_new_tokens=20).raw
    assert capfd.readouterr() == ("", "")


# ---- memory

PEAK = """
import resource, sys, torch
import florence_nb.florence
from transformers import Florence2ForConditionalGeneration, Florence2Processor
from florence_nb import load
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
model = load(sys.argv[1], dtype=sys.argv[2]).model
after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print((after - before) * 1024 / sum(weight.nbytes for weight in model.parameters()))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="peak memory is measured in the way of Linux")
@pytest.mark.parametrize("dtype", ["float32", "float16"])
def test_peak_memory_is_that_of_the_weights(wide, dtype):
    command = [sys.executable, "-c", PEAK, str(wide), dtype]
    ratio = float(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    assert ratio <= 1.2


@pytest.fixture(scope="module")
def wide(tmp_path_factory) -> Path:
    """A checkpoint in float16 of 60 million parameters: large beside what Python itself takes and gives
    back.
    """
    folder = tmp_path_factory.mktemp("checkpoints") / "wide"
    processor = tiny.processor()
    processor.save_pretrained(folder)
    tiny.model(processor.tokenizer, encoder_ffn_dim=400_000, decoder_ffn_dim=500_000).to(
        torch.float16
    ).save_pretrained(folder)
    return folder
