"""Names of the reports of several models in one folder."""

from __future__ import annotations

import os
import re
from collections import Counter
from pathlib import PurePath
from typing import TYPE_CHECKING

from htsr_ref.weights.remote.addresses import is_address, shown_address

if TYPE_CHECKING:
    from collections.abc import Sequence

_UNFIT = re.compile(r'[\x00-\x1f<>:"/\\|?*]')
"""Characters that some file system does not take in a name."""


def report_names(files: Sequence[str]) -> list[str]:
    """Name each model after its file, without a suffix; equal names get what tells them apart.

    That is the suffix, then as many folders as it takes, then a number. Names that differ in
    upper and lower case alone count as equal, since some file systems take them for one.

    Parameters
    ----------
    files : paths or addresses of the models.

    Spec: SCL-16.

    >>> report_names(["a/x.safetensors", "b/y.safetensors"])
    ['x', 'y']
    >>> report_names(["a/x.safetensors", "b/x.safetensors", "b/x.npz"])
    ['a-x.safetensors', 'b-x.safetensors', 'x.npz']
    """
    parts = [_parts(file) for file in files]
    lengths = [0] * len(files)
    while True:
        names = [_name(part, length) for part, length in zip(parts, lengths, strict=True)]
        times = Counter(name.casefold() for name in names)
        longer = [
            length + (times[name.casefold()] > 1 and length < len(part))
            for name, part, length in zip(names, parts, lengths, strict=True)
        ]
        if longer == lengths:
            return _numbered(names)
        lengths = longer


def _parts(file: str) -> tuple[str, ...]:
    """Folders and name of a model, the outermost first."""
    if is_address(file):
        found = [part for part in shown_address(file).partition("://")[2].split("/") if part]
    else:
        found = list(PurePath(os.path.abspath(file)).parts[1:])  # noqa: PTH100 - only a name is made
    return tuple(_UNFIT.sub("_", part) for part in found) or ("model",)


def _name(parts: tuple[str, ...], length: int) -> str:
    """Join so many parts, from the last on; of none, take the last without its suffix."""
    return "-".join(parts[-length:]) if length else PurePath(parts[-1]).stem


def _numbered(names: Sequence[str]) -> list[str]:
    """Add a number to names that are still equal."""
    used: set[str] = set()
    found = []
    for name in names:
        number, unique = 1, name
        while unique.casefold() in used:
            number += 1
            unique = f"{name}-{number}"
        used.add(unique.casefold())
        found.append(unique)
    return found
