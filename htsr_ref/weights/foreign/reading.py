"""Read what a script of converters/ makes of a file; nothing of that stays on the disk."""

from __future__ import annotations

from typing import TYPE_CHECKING

from htsr_ref.weights.container import Container, RawTensor
from htsr_ref.weights.foreign.copies import Copied, Copies
from htsr_ref.weights.foreign.places import read_places
from htsr_ref.weights.foreign.running import convert_by_script, run_script
from htsr_ref.weights.manifest import parse_manifest

if TYPE_CHECKING:
    from pathlib import Path

    from htsr_ref.weights.foreign.kinds import Foreign


def read_foreign(
    path: Path, found: Foreign, *, facts_first: bool = False, keep: Path | None = None
) -> Container:
    """Read what a script says of a file.

    Parameters
    ----------
    path : file or folder.
    found : its format.
    facts_first : whether numbers that must be copied are so only when they are asked for, by
        another run of the script; else it copies them now.
    keep : file to write with all that the script makes of it.

    Raises
    ------
    WeightFileError
        If it cannot be converted.
    OSError
        If there is no room for the temporary file.

    Spec: FMT-24, FMT-25, FMT-26, FMT-27.
    """
    if keep is not None:
        convert_by_script(path, found, keep)
    copies = Copies(path, found)
    answer = run_script(path, found, None) if facts_first else copies.made[0]
    manifest = parse_manifest(answer.manifest, path)
    tensors = read_places(answer.places) | {
        name: RawTensor(name, tuple(fact["shape"]), fact["dtype"], Copied(copies, name))
        for name, fact in answer.copied.items()
    }
    left_out = manifest.extra.get("left_out", {})
    return Container(
        manifest.source["framework"] or "",
        answer.files,
        tuple(tensors[name] for name in manifest.tensors if name in tensors),
        manifest,
        warnings=(
            *(f"left out by {found.script}: {n} x {reason}" for reason, n in left_out.items()),
            *manifest.extra.get("notes", ()),
        ),
        is_foreign=True,
    )
