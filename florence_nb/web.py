"""Read a picture's bytes from the web, with limits on time and size and with no way to anywhere but
http(s); and say why a request failed, for pictures here and for checkpoints in `checkpoints`.
"""

from __future__ import annotations

import re
import threading
import time
from urllib.parse import urljoin, urlsplit

from .errors import InputError

MAX_BYTES = 30_000_000
CONNECT_SECONDS, READ_SECONDS, WHOLE_SECONDS = 5.0, 10.0, 30.0
# Some hosts (Wikimedia is one) refuse requests that do not say who asks.
HEADERS = {
    "User-Agent": "florence-nb (a Florence-2 tutorial; python-requests)",
    "Accept": "image/*,*/*;q=0.5",
}

_SAVE = "save the picture in a browser and give the file's path"
# status: (what the server does, the way out)
_ANSWERS = {
    401: ("wants a login", f"log in and {_SAVE}"),
    403: ("refuses access", f"if a browser still shows it, {_SAVE}; a signed link may have expired"),
    404: ("has no such picture", "check the address letter by letter"),
    407: ("is behind a proxy that wants a login", "set HTTPS_PROXY=http://user:password@proxy:port"),
    410: ("had this picture, but it was removed", "look for another address of it"),
    429: ("wants fewer requests", f"wait some minutes, or {_SAVE}"),
}

_UNSET = "check HTTP_PROXY, HTTPS_PROXY and ALL_PROXY, or unset them"
# The classes of exceptions in a failed request, by name because requests, httpx and the system each have
# their own, or a word of their texts; and what they say about the host or the proxy. The first that fits
# counts.
_FAULTS = (
    (
        "gaierror|NameResolutionError|name resolution|service not known|getaddrinfo",
        "is not known by this name, or there is no network",
    ),
    ("ConnectionRefusedError|refused", "refuses the connection"),
    ("unreachable", "cannot be reached from this network"),
    ("Timeout|TimeoutError|TimeoutException|timed out", "did not answer in time"),
    ("ContentDecodingError|DecodeError|DecodingError", "sends data that cannot be unpacked"),
    ("InvalidURL|LocationParseError|UnicodeError", "has an address that is not valid"),
    ("RemoteDisconnected", "broke the connection off before the end"),
    (
        "BadStatusLine|LineTooLong|InvalidHeader|HeaderParsingError|too many headers",
        "does not answer in HTTP",
    ),
    (
        "ConnectionResetError|BrokenPipeError|ProtocolError|ReadError|ChunkedEncodingError",
        "broke the connection off before the end",
    ),
)


def shown(text: object, most: int = 120) -> str:
    """`text` as a message may show it: one line, without passwords and signatures, cut in the middle."""
    line = str(text)
    if re.match(r"[a-z][a-z0-9+.-]*://", line, re.IGNORECASE):
        line = _without_secrets(line)
    else:
        line = re.sub(r"[a-z][a-z0-9+.-]*://\S+", lambda found: _without_secrets(found[0]), line, flags=re.I)
    if len(line) > most:
        line = f"{line[: most * 2 // 3]}…{line[-most // 3 :]}"
    return "".join(letter if letter.isprintable() else " " for letter in line)


def _without_secrets(address: str) -> str:
    """The address without user, password, query and fragment, which may hold keys: notebooks are shared."""
    scheme, _, rest = address.partition("://")
    host = re.split(r"[/?#]", rest)[0]
    if "@" in host:
        rest = rest[host.rindex("@") + 1 :]
    elif "@" in rest and ":" in host and not host.rpartition(":")[2].isdigit():
        rest = rest.rpartition("@")[2]  # a password with a slash in it
    kept = re.split(r"[?#]", rest)[0]
    return f"{scheme}://{kept}" + ("?…" if "?" in rest else "")


def read_url(url: str) -> bytes:
    """Return the bytes that `url` answers with; not yet checked to be an image.

    Raises InputError when the address is not http(s) or leads elsewhere, cannot be reached, answers with an
    error, sends more than 30 MB, or takes more than 30 s in all.
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
            response = _ask(session, url)
            _check_answer(response, url)
            return _body(response, url, deadline)
    except InputError:
        raise
    except Exception as error:  # requests lets some errors of its parts through
        # The text of a cause shows the whole address, also in a log.
        raise _told(error, url) from (error if _without_secrets(url) == url else None)


def _ask(session, url: str):
    def check_hop(response, **_) -> None:
        target = session.get_redirect_target(response)
        if target is not None:
            response.close()  # the body of a redirect is of no use, and may have no end
            _check_address(_joined(response.url, target), url)

    wait = (CONNECT_SECONDS, READ_SECONDS)
    return session.get(url, stream=True, timeout=wait, headers=HEADERS, hooks={"response": check_hop})


def _joined(address: str, target: str) -> str:
    try:
        return urljoin(address, target)
    except ValueError:  # no address at all, as the check will say
        return target


def _check_address(address: str, asked: str) -> None:
    lead = shown(asked)
    if address != asked:
        lead = f"{lead} redirects to {shown(address)}, which"
    try:
        parts = urlsplit(address)
    except ValueError as error:
        raise InputError(
            f"{lead} is not a valid web address ({shown(error)}): it should look like"
            " https://host/picture.jpg."
        ) from None  # the cause shows the address
    if parts.scheme.lower() not in ("http", "https"):
        raise InputError(
            f"{lead} is not an http or https address, and only those are read: download the picture and give"
            " its path."
        )
    if not parts.hostname:
        raise InputError(f"{lead} names no host: a web address looks like https://host/picture.jpg.")


def _check_answer(response, url: str) -> None:
    code = response.status_code
    if not 200 <= code < 300:
        what, way_out = _ANSWERS.get(code, ("does not give the picture", _SAVE))
        if code >= 500:
            what, way_out = "has a fault of its own", f"try again later, or {_SAVE}"
        proxy = proxy_of(url)
        through = f" (asked through the proxy {proxy})" if proxy else ""
        reason = shown(response.reason or "", 40)
        raise InputError(f"{shown(url)} answers {code} {reason}: the server {what}{through}; {way_out}.")
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
    length = response.headers.get("content-length", "")
    if length.isdigit() and len(data) < int(length) and "content-encoding" not in response.headers:
        raise ConnectionResetError("the body is shorter than it should be")  # urllib3 1 does not look
    return bytes(data)


def _too_large(url: str) -> InputError:
    return InputError(
        f"{shown(url)} sends more than {MAX_BYTES // 1_000_000} MB: download it, make it smaller and give the"
        " file's path."
    )


def _too_slow(url: str) -> InputError:
    proxy = proxy_of(url)
    through = f", asked through the proxy {proxy}," if proxy else ""
    return InputError(
        f"{shown(url)}{through} did not answer in time (allowed are {READ_SECONDS:.0f} s of silence,"
        f" {WHOLE_SECONDS:.0f} s in all): try again, or download the picture and give its path."
    )


def _told(error: Exception, url: str) -> InputError:
    if any(type(cause).__name__ == "TooManyRedirects" for cause in causes(error)):
        return InputError(
            f"{shown(url)} redirects again and again: open it in a browser and give the address it ends at."
        )
    if "timed out" in str(error) and not proxy_of(url):  # inside the body it reaches us as a ConnectionError
        return _too_slow(url)
    reason, way_out = network_fault(error, url) or (type(error).__name__, "")
    way_out = way_out or "check the address and the network"
    return InputError(
        f"Could not read {shown(url)} ({reason}): {way_out}, or download the picture and give its path."
    )


def causes(error: BaseException) -> list[BaseException]:
    """The error and everything it wraps: requests, urllib3 and huggingface_hub each wrap in their own way."""
    found: list[BaseException] = []
    waiting: list = [error]
    while waiting:
        one = waiting.pop(0)
        if isinstance(one, BaseException) and not any(one is other for other in found):
            found.append(one)
            waiting += [one.__cause__, getattr(one, "reason", None), *one.args]
    return found


def proxy_of(address: str) -> str:
    """The proxy that this machine's settings name for an address, fit to be shown; "" without one."""
    from requests.utils import get_environ_proxies, select_proxy

    try:
        return shown(select_proxy(address, get_environ_proxies(address)) or "", 80)
    except Exception:  # an address or a setting that cannot be parsed
        return ""


def network_fault(error: BaseException, address: str) -> tuple[str, str] | None:
    """Why the request to `address` failed, and the way out ("" where there is no special one); None where
    the error is no fault of the network.
    """
    chain = causes(error)
    # NewConnectionError is a time-out by its bases, whatever was the matter.
    kinds = [type(cause) for cause in chain if type(cause).__name__ != "NewConnectionError"]
    names = {base.__name__ for kind in kinds for base in kind.__mro__}
    text = " ".join(str(cause) for cause in chain)
    if "Missing dependencies for SOCKS" in text or "socksio" in text:
        package = "httpx[socks]" if "socksio" in text else "requests[socks]"
        return "a SOCKS proxy is set, and the package for it is missing", f'pip install "{package}"'
    proxied = bool(names & {"ProxyError", "InvalidProxyURL", "ProxySchemeUnknown"})
    if not proxied and ("SSLError" in names or "TLS CA certificate bundle" in text):
        return _certificate(text)
    refused = re.search(r"Tunnel connection failed: ([^'\")]*)", text)
    fault = next((what for words, what in _FAULTS if _fits(words, names, text)), None)
    if not (fault or proxied) and not names & {"ConnectionError", "ConnectError", "NetworkError"}:
        return None
    proxy = proxy_of(address)
    if not proxied and not proxy:
        return f"the host {fault or 'cannot be reached'}", ""
    what = f"answers {shown(refused[1], 60)}" if refused else fault or "cannot be used"
    return f"the proxy {proxy} {what}".replace("  ", " "), _UNSET


def _fits(words: str, names: set[str], text: str) -> bool:
    return any(word in names or (word[0].islower() and word in text) for word in words.split("|"))


def _certificate(text: str) -> tuple[str, str]:
    if "TLS CA certificate bundle" in text:
        return "the file of certificates that is set is not there", "check REQUESTS_CA_BUNDLE, or unset it"
    found = re.search(r"certificate verify failed: ([^(\"']*)", text)
    if found or "doesn't match" in text:
        why = f" ({shown(found[1].strip(), 60)})" if found else ""
        way_out = "behind a company's proxy, set REQUESTS_CA_BUNDLE and SSL_CERT_FILE to its certificates"
        return f"the host's certificate cannot be verified{why}", way_out
    return "no secure connection (TLS) with the host", "check whether the address begins with http://"
