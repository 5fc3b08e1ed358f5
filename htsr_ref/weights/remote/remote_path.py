"""A remote file with the few manners of a path that the readers of weights need."""

from __future__ import annotations

import io
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, BinaryIO, TypeVar, cast

from htsr_ref.weights.backing import ChangedFileError
from htsr_ref.weights.remote import addresses
from htsr_ref.weights.remote.fetched import Fetched, TransientError
from htsr_ref.weights.remote.stores import fetch_from_store, names_in_store, require_packages
from htsr_ref.weights.remote.web import fetch_from_web

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

T = TypeVar("T")

HEAD = 1 << 16
"""Bytes that are asked for first: they hold most headers."""

PIECE = 1 << 26
"""Bytes that are asked for at once: what a broken connection may cost again."""

WAITS = (0.5, 1.0, 2.0, 4.0)
"""Seconds before each further attempt."""

LONGEST_WAIT = 60.0
"""Seconds that a server may ask for at most."""

_USUAL = tuple(
    f"{name}.safetensors{ending}"
    for name in ("model", "adapter_model", "diffusion_pytorch_model")
    for ending in (".index.json", "")
)
"""What is looked for in a folder that cannot be listed; the first that is there."""


@dataclass(frozen=True)
class RemotePath:
    """A file or folder by its address.

    Parameters
    ----------
    address : with whatever secrets it holds; shown without them.
    heads : first bytes of the files that were looked at, or why there are none; shared by all
        paths that are made of this one.

    Spec: FMT-29, FMT-30.
    """

    address: str
    heads: dict[str, Fetched | OSError] = field(default_factory=dict, compare=False, repr=False)

    @classmethod
    def of(cls, address: str) -> RemotePath:
        """Path of an address.

        Raises
        ------
        WeightFileError
            If the packages that read it are not installed.
        """
        require_packages(address)
        return cls(address)

    def __str__(self) -> str:
        return addresses.shown_address(self.address)

    def __lt__(self, other: RemotePath) -> bool:
        return self.address < other.address

    def __truediv__(self, name: str) -> RemotePath:
        return RemotePath(addresses.beside(self.address, name), self.heads)

    @property
    def name(self) -> str:
        """Last part of the address's path."""
        return addresses.name_in(self.address)

    @property
    def parent(self) -> RemotePath:
        """Folder that it lies in."""
        return RemotePath(addresses.beside(self.address, None), self.heads)

    def is_dir(self) -> bool:
        """Whether it is a folder."""
        if addresses.is_web(self.address):
            return addresses.is_web_folder(self.address)
        return bool(_retried(lambda: names_in_store(self.address)))

    def iterdir(self) -> Iterator[RemotePath]:
        """List the folder; of one that cannot be listed, the weights alone."""
        if addresses.is_web(self.address):
            names = [next((name for name in _USUAL if (self / name).is_file()), "")]
        else:
            names = _retried(lambda: names_in_store(self.address))
        yield from (self / name for name in names if name)

    def exists(self) -> bool:
        """Whether there is such a file."""
        try:
            self.head()
        except FileNotFoundError:
            return False
        return True

    def is_file(self) -> bool:
        """Whether there is such a file that may be read."""
        try:
            return self.exists()
        except PermissionError:
            # What stores answer, too, for files that are not there.
            return False

    def head(self) -> Fetched:
        """First bytes; asked for once.

        Raises OSError if there are none.
        """
        if self.address not in self.heads:
            try:
                self.heads[self.address] = self.fetch(0, HEAD)
            except (FileNotFoundError, PermissionError) as error:
                self.heads[self.address] = error
        found = self.heads[self.address]
        if isinstance(found, OSError):
            raise found
        return found

    def fetch(self, start: int, stop: int) -> Fetched:
        """Ask for a range of bytes, again if the failure may pass.

        Raises OSError.

        Spec: FMT-33.
        """
        is_web = addresses.is_web(self.address)
        once = fetch_from_web if is_web else fetch_from_store
        return _retried(lambda: once(self.address, start, stop))

    def open(self) -> BinaryIO:
        """Open it for reading; OSError if it is not there."""
        return self.stamp().open()

    def stamp(self) -> RemoteStamp:
        """Return which version of the file it is that was looked at."""
        head = self.head()
        return RemoteStamp(self, head.size, head.tag)


@dataclass(frozen=True, slots=True)
class RemoteStamp:
    """A remote file as it was when its first bytes were read.

    Spec: FMT-32.
    """

    path: RemotePath
    size: int
    tag: str

    @property
    def version(self) -> str | None:
        """Address, size and tag, if the tag is a strong one: others tell less, or the time."""
        is_strong = self.tag.startswith('"')
        return repr((self.path.address, self.size, self.tag)) if is_strong else None

    def open(self) -> BinaryIO:
        """Open the file; nothing is asked for before something is read."""
        return cast("BinaryIO", RemoteFile(self))

    def check(self, file: object) -> None:
        """Do nothing: every answer was compared with the stamp when it came."""


class RemoteFile(io.RawIOBase):
    """A remote file that is read by ranges.

    Spec: FMT-31, FMT-32.
    """

    def __init__(self, stamp: RemoteStamp) -> None:
        self._stamp = stamp
        self._at = 0

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Move to another position."""
        origin = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._stamp.size}[whence]
        self._at = origin + offset
        return self._at

    def readinto(self, buffer: Any) -> int:
        """Fill a buffer as far as the file reaches.

        Raises OSError; ChangedFileError if the file is not the one that was stamped.
        """
        view = memoryview(buffer).cast("B")
        wanted = max(0, min(len(view), self._stamp.size - self._at))
        done = 0
        while done < wanted:
            piece = self._piece(self._at, self._at + min(wanted - done, PIECE))
            view[done : done + len(piece)] = piece
            done += len(piece)
            self._at += len(piece)
        return done

    def _piece(self, start: int, stop: int) -> bytes | memoryview:
        path = self._stamp.path
        head = path.head()
        if start < len(head.content):
            return memoryview(head.content)[start:stop]
        fetched = path.fetch(start, stop)
        if (fetched.size, fetched.tag) != (self._stamp.size, self._stamp.tag):
            raise ChangedFileError(path)
        return fetched.content


def _retried(call: Callable[[], T]) -> T:
    """Call again after a while, and again, as long as the failure may pass."""
    for wait in WAITS:
        try:
            return call()
        except TransientError as error:
            time.sleep(wait if error.wait is None else min(error.wait, LONGEST_WAIT))
    try:
        return call()
    except TransientError as error:
        raise OSError(f"{error}, {len(WAITS) + 1} times") from error
