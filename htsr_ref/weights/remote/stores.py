"""Ranges of bytes from object stores, through the file systems of fsspec."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from htsr_ref.errors import WeightFileError
from htsr_ref.weights.remote.addresses import scheme_of, shown_address
from htsr_ref.weights.remote.fetched import Fetched, TransientError, refusal

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")
_PACKAGES = {"s3": " s3fs", "gs": " gcsfs"}
_TAGS = ("ETag", "etag")
_TIMES = ("LastModified", "updated", "mtime", "created")


def require_packages(address: str) -> None:
    """Refuse an address whose packages are not installed, with the command that installs them.

    Raises
    ------
    WeightFileError
        If one is missing.

    Spec: FMT-29.
    """
    scheme = scheme_of(address)
    try:
        import fsspec

        fsspec.get_filesystem_class("https" if scheme == "hf" else scheme)
    except ImportError as error:
        raise WeightFileError(
            shown_address(address),
            "packages that read remote files are not installed",
            f"Install them: pip install 'htsr-ref[remote]'{_PACKAGES.get(scheme, '')}",
        ) from error


def fetch_from_store(address: str, start: int, stop: int) -> Fetched:
    """Ask once for a range of bytes of a file that is the same before and after.

    Raises
    ------
    OSError
        If the store refuses, or the file changes meanwhile.

    Spec: FMT-31, FMT-32.
    """
    return _told(lambda: _fetch(*_system(address), start, stop))


def names_in_store(address: str) -> list[str]:
    """Names of what lies in a folder of a store, none for what is not a folder.

    Raises
    ------
    OSError
        If the store refuses.
    """
    return _told(lambda: _names(*_system(address)))


def _system(address: str) -> tuple[Any, str]:
    import fsspec

    # Made once for each process and kept by fsspec.
    system, path = fsspec.core.url_to_fs(address)
    return system, path


def _names(system: Any, path: str) -> list[str]:
    if not system.isdir(path):
        return []
    listed = system.ls(path, detail=False)
    return [name.rstrip("/").rpartition("/")[2] for name in listed]


def _fetch(system: Any, path: str, start: int, stop: int) -> Fetched:
    before = _facts(system, path)
    size, tag = before
    with system.open(path, "rb", cache_type="none", size=size) as file:
        file.seek(start)
        content = file.read(min(stop, size) - start)
    if _facts(system, path) != before:
        raise TransientError("it changes while it is read")
    if len(content) != min(stop, size) - start:
        raise TransientError("the connection broke")
    return Fetched(content, size, tag)


def _facts(system: Any, path: str) -> tuple[int, str]:
    """Size of a file, and which version of it there is."""
    system.invalidate_cache(path)
    info = system.info(path)
    if info["type"] != "file":
        raise FileNotFoundError("it is not a file")
    size = int(info["size"])
    time = next((str(info[key]) for key in _TIMES if info.get(key)), "")
    tag = next((str(info[key]) for key in _TAGS if info.get(key)), f"{size} {time}".strip())
    return size, tag


def _told(call: Callable[[], T]) -> T:
    """Call a store's library, and tell its errors without its text, which may hold secrets."""
    try:
        return call()
    except TransientError:
        raise
    except FileNotFoundError as error:
        raise FileNotFoundError("there is no such file") from error
    except PermissionError as error:
        raise PermissionError("its store refuses to send it") from error
    except Exception as error:
        response = getattr(error, "response", None)
        status = getattr(error, "status", None) or getattr(response, "status_code", None)
        if isinstance(status, int):
            raise refusal(status) from error
        raise TransientError(f"its store cannot be read ({type(error).__name__})") from error
