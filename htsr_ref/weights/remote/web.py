"""Ranges of bytes over HTTP, through the sessions of fsspec."""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING, Any

from htsr_ref.weights.remote.addresses import web_headers, web_url
from htsr_ref.weights.remote.fetched import Fetched, NoRangesError, TransientError, refusal

if TYPE_CHECKING:
    import aiohttp

READ_THROUGH = 1 << 24
"""Bytes of the largest file that is read whole from a server that ignores ranges."""

CONNECT_SECONDS = 30
SILENT_SECONDS = 60
_CONTENT_RANGE = re.compile(r"bytes (\d+)-(\d+)/(\d+)")


def fetch_from_web(address: str, start: int, stop: int) -> Fetched:
    """Ask once for a range of bytes; no more than these are read, whatever the server sends.

    Raises
    ------
    OSError
        If the server refuses, ignores the range or breaks off.

    Spec: FMT-31, FMT-33.
    """
    import aiohttp
    import fsspec
    from fsspec.asyn import sync

    timeout = aiohttp.ClientTimeout(
        total=None, sock_connect=CONNECT_SECONDS, sock_read=SILENT_SECONDS
    )
    client = {"timeout": timeout, "trust_env": True}
    # Made once for each process and kept by fsspec, with its open connections.
    system = fsspec.filesystem("http", client_kwargs=client)
    try:
        fetched: Fetched = sync(system.loop, _fetch, system, address, start, stop)
    except (aiohttp.ClientError, asyncio.IncompleteReadError, TimeoutError) as error:
        if isinstance(error, aiohttp.InvalidURL):
            raise FileNotFoundError("it is not a valid address") from error
        raise TransientError(_in_words(error)) from error
    return fetched


async def _fetch(system: Any, address: str, start: int, stop: int) -> Fetched:
    session = await system.set_session()
    headers = {**web_headers(address), "Range": f"bytes={start}-{stop - 1}"}
    async with session.get(_as_written(web_url(address)), headers=headers) as answer:
        if answer.headers.get("Content-Encoding", "identity") not in ("", "identity"):
            raise OSError("its server compresses what it sends")
        match answer.status:
            case 206:
                return await _part(answer, start, stop)
            case 200 if start == 0:
                return await _whole(answer)
            case 200:
                raise NoRangesError
            case 416 if (end := _end(answer)) is not None and end <= start:
                return Fetched(b"", end, _tag(answer, end))
            case status:
                error = refusal(status)
                wait = answer.headers.get("Retry-After", "")
                if isinstance(error, TransientError) and wait.isdecimal():
                    error.wait = float(wait)
                raise error


def _end(answer: aiohttp.ClientResponse) -> int | None:
    """Size of a file that ends before the range."""
    found = re.fullmatch(r"bytes \*/(\d+)", answer.headers.get("Content-Range", ""))
    return None if found is None else int(found[1])


def _as_written(url: str) -> Any:
    """Keep an address as it is given, since it may be signed; quote only what none can hold."""
    from yarl import URL

    return URL(url, encoded=url.isascii() and not re.search(r"[\x00-\x20\x7f]", url))


async def _part(answer: aiohttp.ClientResponse, start: int, stop: int) -> Fetched:
    found = _CONTENT_RANGE.fullmatch(answer.headers.get("Content-Range", ""))
    if found is None:
        raise OSError("its server does not say which bytes it sends")
    first, last, size = map(int, found.groups())
    if first != start or last != min(stop, size) - 1:
        raise OSError("its server sends other bytes than those that it was asked for")
    content = await answer.content.readexactly(last + 1 - first)
    return Fetched(content, size, _tag(answer, size))


async def _whole(answer: aiohttp.ClientResponse) -> Fetched:
    """Read a small file from a server that ignores ranges."""
    stated = answer.content_length
    if stated is not None and stated > READ_THROUGH:
        raise NoRangesError
    pieces = []
    size = 0
    async for piece in answer.content.iter_any():
        pieces.append(piece)
        size += len(piece)
        if size > READ_THROUGH:
            raise NoRangesError
    return Fetched(b"".join(pieces), size, _tag(answer, size))


def _tag(answer: aiohttp.ClientResponse, size: int) -> str:
    stated = answer.headers.get("ETag")
    return stated or " ".join([str(size), answer.headers.get("Last-Modified", "")]).strip()


def _in_words(error: Exception) -> str:
    """Say what broke, without the text of the library, which may hold the whole address."""
    if isinstance(error, TimeoutError):
        return "its server is silent"
    reason = error.strerror if isinstance(error, OSError) else None
    return f"the connection broke ({reason or type(error).__name__})"
