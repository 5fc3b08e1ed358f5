"""A stretch of a file that reads as if it were a file."""

import io
import os
from typing import BinaryIO


class Window(io.RawIOBase, BinaryIO):
    """Bytes [start, start + size) of a file.

    >>> window = Window(io.BytesIO(b"abcdef"), 2, 3)
    >>> window.seek(1), window.read()
    (1, b'de')
    """

    def __init__(self, file: BinaryIO, start: int, size: int) -> None:
        self._file, self._start, self._size, self._at = file, start, size, 0

    def readable(self) -> bool:
        """Return True."""
        return True

    def seekable(self) -> bool:
        """Return True."""
        return True

    def tell(self) -> int:
        """Return the place within the window."""
        return self._at

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Move to a place within the window."""
        origins = {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._size}
        self._at = max(0, origins[whence] + offset)
        return self._at

    # RawIOBase takes any buffer, and its stubs a type that Python 3.11 cannot name.
    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        """Fill a buffer as far as the window reaches."""
        left = max(0, self._size - self._at)
        self._file.seek(self._start + self._at)
        # Files opened as binary have it; the type BinaryIO does not say so.
        count = self._file.readinto(memoryview(buffer)[:left])  # type: ignore[attr-defined]
        self._at += count
        return int(count)

    def close(self) -> None:
        """Close the file as well."""
        self._file.close()
        super().close()
