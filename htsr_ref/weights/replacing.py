"""Files that appear whole under their name or not at all."""

from __future__ import annotations

import stat
import uuid
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield the path of a temporary file beside `path`, which it replaces if all goes well.

    A file that is replaced keeps its permissions.

    Spec: FMT-7.
    """
    temporary = path.with_name(f".htsr-{uuid.uuid4().hex}.tmp")
    try:
        yield temporary
        if path.exists():
            temporary.chmod(stat.S_IMODE(path.stat().st_mode))
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
