"""A file for the HDF5 library, which cannot close one that it could not write: it crashes.

htsr has the same class (weights/outputs.py): scripts run without htsr, which imports none of them.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from io import FileIO
from pathlib import Path
from typing import Any


class QuietFile(FileIO):
    """A new file that keeps its first error to itself and takes the rest for written."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, "x+b")
        self.error: OSError | None = None

    def check(self) -> None:
        """Raise the error, if there was one."""
        if self.error is not None:
            raise self.error

    def write(self, content: Any) -> int:
        """Write all bytes of a buffer."""
        left = memoryview(content).cast("B")
        size = len(left)
        with self._kept():
            self.check()
            while left:
                left = left[super().write(left) :]
        return size

    def truncate(self, size: int | None = None) -> int:
        """Give the file a size."""
        with self._kept():
            self.check()
            super().truncate(size)
        return size or 0

    @contextmanager
    def _kept(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            self.error = self.error or error


@contextmanager
def quiet_file(path: Path) -> Iterator[QuietFile]:
    """Yield a new file; its error is raised at the end, whatever else it led to."""
    with QuietFile(path) as file:
        try:
            yield file
        finally:
            file.check()
