"""Links in folders of strangers, which may lead anywhere."""

from collections.abc import Iterable
from pathlib import Path

from common.errors import ConversionError


def refuse_links_out(folder: Path, files: Iterable[Path]) -> None:
    """Check that files are in a folder; in a Hugging Face cache, they may be in its `blobs`.

    Raises
    ------
    ConversionError
        If a link leads elsewhere.
    """
    root = folder.resolve()
    caches = [parent.parent / "blobs" for parent in root.parents if parent.name == "snapshots"]
    for file in files:
        if not any(file.resolve().is_relative_to(place) for place in (root, *caches)):
            raise ConversionError("it is a link that leads elsewhere", "Copy the file", file=file)
