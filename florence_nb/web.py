"""Read a picture's bytes from the web, with limits on time and size and with no way to anywhere but
http(s).
"""

from __future__ import annotations

import threading
import time
from urllib.parse import urljoin, urlsplit

from .errors import InputError

MAX_BYTES = 30_000_000
MAX_REDIRECTS = 5
CONNECT_SECONDS, READ_SECONDS, WHOLE_SECONDS = 5.0, 10.0, 30.0
# Some hosts (Wikimedia is one) refuse requests that do not say who asks.
HEADERS = {
    "User-Agent": "florence-nb (a Florence-2 tutorial; python-requests)",
    "Accept": "image/*,*/*;q=0.5",
}


def read_url(url: str) -> bytes:
    """Return the bytes that `url` answers with; not yet checked to be an image.

    Raises InputError when the address is not http(s) or leads elsewhere, cannot be reached, answers with an
    error or a web page, sends more than 30 MB, or takes more than 30 s in all.
    """
    _check_address(url, url)
    outcome: list[bytes | Exception] = []

    # A server that sends one byte every few seconds never trips a read time-out, not even while it sends its
    # headers. Only waiting from outside bounds the whole; the thread is a daemon, so it cannot hold up the
    # end of the program.
    def work() -> None:
        try:
            outcome.append(_download(url, time.monotonic() + WHOLE_SECONDS))
        except Exception as error:  # whatever it is, handed to the caller below
            outcome.append(error)

    thread = threading.Thread(target=work, daemon=True, name="florence-nb download")
    thread.start()
    thread.join(WHOLE_SECONDS)
    if not outcome:
        raise _too_slow(url)
    if isinstance(outcome[0], Exception):
        raise outcome[0]
    return outcome[0]


def _download(url: str, deadline: float) -> bytes:
    import requests

    try:
        with requests.Session() as session:
            response = _follow(session, url)
            _check_answer(response, url)
            return _body(response, url, deadline)
    except requests.Timeout as error:
        raise _too_slow(url) from error
    except (requests.RequestException, OSError, UnicodeError) as error:
        if "timed out" in str(error):  # a time-out inside the body reaches us as a ConnectionError
            raise _too_slow(url) from error
        raise InputError(
            f"Could not read {url} ({_reason(error)}): check the address and the network, or give a file or a"
            " sample's name."
        ) from error


def _follow(session, url: str):
    """Follow redirects by hand, because each step has to be an http(s) address."""
    here = url
    for _ in range(MAX_REDIRECTS + 1):
        response = session.get(
            here, stream=True, allow_redirects=False, timeout=(CONNECT_SECONDS, READ_SECONDS), headers=HEADERS
        )
        if not response.is_redirect:
            return response
        here = urljoin(here, response.headers["location"])
        response.close()
        _check_address(here, url)
    raise InputError(
        f"{url} redirects more than {MAX_REDIRECTS} times: open it in a browser and give the address it"
        " ends at."
    )


def _check_address(address: str, asked: str) -> None:
    try:
        parts = urlsplit(address)
    except ValueError as error:
        raise InputError(
            f"{asked} is not a valid web address ({error}): it should look like https://host/picture.jpg."
        ) from error
    if parts.scheme.lower() not in ("http", "https"):
        way_out = (
            "give the file's path without file://."
            if parts.scheme == "file"
            else "download the picture and give its path."
        )
        lead = f"{asked} is" if address == asked else f"{asked} redirects to {address}, which is"
        raise InputError(f"{lead} not an http or https address, and only those are read: {way_out}")
    if not parts.hostname:
        raise InputError(f"{asked} names no host: a web address looks like https://host/picture.jpg.")


def _check_answer(response, url: str) -> None:
    if response.status_code != 200:
        raise InputError(
            f"{url} answers {response.status_code} {response.reason}: check that the address opens in a"
            " browser."
        )
    if response.headers.get("content-type", "").lower().startswith(("text/html", "application/xhtml")):
        raise InputError(
            f"{url} answers with a web page (HTML), not an image: right-click the picture there and copy the"
            " address of the image."
        )
    length = response.headers.get("content-length", "")
    if length.isdigit() and int(length) > MAX_BYTES:
        raise _too_large(url)


def _body(response, url: str, deadline: float) -> bytes:
    data = bytearray()
    for piece in response.iter_content(16_384):
        data += piece
        if len(data) > MAX_BYTES:
            raise _too_large(url)
        if time.monotonic() > deadline:
            raise _too_slow(url)
    return bytes(data)


def _too_large(url: str) -> InputError:
    return InputError(
        f"{url} sends more than {MAX_BYTES // 1_000_000} MB: download it, make it smaller and give the file's"
        " path."
    )


def _too_slow(url: str) -> InputError:
    return InputError(
        f"{url} did not answer in time (allowed are {READ_SECONDS:.0f} s of silence, {WHOLE_SECONDS:.0f} s in"
        " all): try again, or download the picture and give its path."
    )


def _reason(error: Exception) -> str:
    text = str(error)
    if "resolve" in text or "getaddrinfo" in text or "Name or service" in text:
        return "the host's name is not known, or there is no network"
    if "refused" in text:
        return "the host refuses the connection"
    return type(error).__name__
