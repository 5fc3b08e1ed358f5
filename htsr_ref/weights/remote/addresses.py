"""Addresses of remote files: what is one, how it is shown, where it leads."""

from __future__ import annotations

import os
import re
from urllib.parse import quote, unquote, urlsplit, urlunsplit

_SCHEME = re.compile(r"(hf|s3|gs|https?|memory)://", re.IGNORECASE)
_IN_TEXT = re.compile(rf"\b{_SCHEME.pattern}\S*?(?=[:,;.]?(?:\s|$))", re.IGNORECASE)
_WEB = ("http", "https")
_HUB = "https://huggingface.co"


def is_address(text: object) -> bool:
    """Whether a text is the address of a remote file and not a path.

    >>> is_address("hf://org/model"), is_address("folder/model.safetensors")
    (True, False)
    """
    return isinstance(text, str) and _SCHEME.match(text) is not None


def scheme_of(address: str) -> str:
    """Scheme in lower case."""
    return address.partition("://")[0].lower()


def shown_address(text: str) -> str:
    """Leave out of an address what may be secret: user, password, query; a path stays as it is.

    Spec: FMT-34.

    >>> shown_address("https://user:word@host:8000/a.safetensors?signature=1#x")
    'https://host:8000/a.safetensors'
    >>> shown_address("a?b@c.safetensors")
    'a?b@c.safetensors'
    """
    if not is_address(text):
        return text
    scheme, _, rest = text.partition("://")
    place = re.split(r"[?#]", rest, maxsplit=1)[0] if scheme.lower() in _WEB else rest
    host, slash, path = place.partition("/")
    if scheme.lower() != "hf":  # where @ is followed by a revision
        host = host.rpartition("@")[2]
    return f"{scheme}://{host}{slash}{path}"


def without_secrets(text: str) -> str:
    """Show the addresses in a text as they may be shown.

    Spec: FMT-34.

    >>> without_secrets("https://me:word@host/a.safetensors?sig=1: it is empty")
    'https://host/a.safetensors: it is empty'
    """
    return _IN_TEXT.sub(lambda found: shown_address(found[0]), text)


def is_web(address: str) -> bool:
    """Whether a file is read over HTTP: those of the Hugging Face hub are."""
    return scheme_of(address) in (*_WEB, "hf")


def web_url(address: str) -> str:
    """URL of a file that is read over HTTP.

    >>> web_url("hf://org/model@v1.0/model.safetensors")
    'https://huggingface.co/org/model/resolve/v1.0/model.safetensors'
    """
    if scheme_of(address) != "hf":
        return address
    *repository, last = _parts(address)[:2]
    name, _, revision = last.partition("@")
    repo = "/".join([*repository, name])
    inner = "/".join(_parts(address)[2:])
    return f"{_hub()}/{quote(repo)}/resolve/{revision or 'main'}/{quote(inner)}"


def web_headers(address: str) -> dict[str, str]:
    """Return what a request must state besides its range; the hub wants the user's token."""
    token = os.environ.get("HF_TOKEN") if scheme_of(address) == "hf" else None
    return {"Accept-Encoding": "identity"} | ({"Authorization": f"Bearer {token}"} if token else {})


def is_web_folder(address: str) -> bool:
    """Whether an address read over HTTP is a folder, which nothing but its form can tell.

    >>> is_web_folder("hf://org/model"), is_web_folder("https://host/model/")
    (True, True)
    """
    if scheme_of(address) == "hf":
        return len(_parts(address)) <= 2 or not address.endswith((".safetensors", ".json"))
    return urlsplit(address).path.endswith("/")


def name_in(address: str) -> str:
    """Last part of an address's path.

    >>> name_in("https://host/a%20b/?x=1"), name_in("s3://bucket/m.safetensors")
    ('a b', 'm.safetensors')
    """
    last = shown_address(address).rstrip("/").rpartition("/")[2]
    return unquote(last) if scheme_of(address) in _WEB else last


def beside(address: str, name: str | None) -> str:
    """Folder of an address, or with a name, that file in the folder of this address.

    >>> beside("https://host/m/a.safetensors?token=1", None)
    'https://host/m?token=1'
    >>> beside("https://host/m/?token=1", "b c.json")
    'https://host/m/b%20c.json?token=1'
    """
    is_plain_web = scheme_of(address) in _WEB
    parts = urlsplit(address) if is_plain_web else None
    path = (address if parts is None else parts.path).rstrip("/")
    if name is None:
        path = path.rpartition("/")[0]
    else:
        path = f"{path}/{quote(name) if is_plain_web else name}"
    return path if parts is None else urlunsplit(parts._replace(path=path))


def _parts(address: str) -> list[str]:
    """Split an address of the hub at its slashes."""
    return address.partition("://")[2].strip("/").split("/")


def _hub() -> str:
    return os.environ.get("HF_ENDPOINT", _HUB).rstrip("/")
