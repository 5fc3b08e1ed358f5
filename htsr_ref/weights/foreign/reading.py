"""Read what a script of converters/ makes of a file; nothing of that stays on the disk."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from htsr_ref.errors import WeightFileError
from htsr_ref.weights.backing import HeldFile, MappedArray
from htsr_ref.weights.foreign.places import read_places
from htsr_ref.weights.foreign.running import run_script
from htsr_ref.weights.leftovers import temporary_folder
from htsr_ref.weights.safetensors_file import read_safetensors

if TYPE_CHECKING:
    from pathlib import Path

    from htsr_ref.weights.container import Container, RawTensor
    from htsr_ref.weights.foreign.kinds import Foreign


def read_foreign(path: Path, found: Foreign) -> Container:
    """Convert a file and read the result.

    Parameters
    ----------
    path : file or folder.
    found : its format.

    Raises
    ------
    WeightFileError
        If it cannot be converted.
    OSError
        If there is no room for the temporary file.

    Spec: FMT-24, FMT-25, FMT-26, FMT-27.
    """
    with temporary_folder() as folder:
        output, places = folder / "converted.safetensors", folder / "places.json"
        run_script(path, found, output, places)
        container = read_safetensors(output)
        placed = read_places(places)
        held = HeldFile(output, folder)
    manifest = container.manifest
    if manifest is None:
        raise WeightFileError(path, f"{found.script} wrote no manifest", "Install htsr-ref again")
    tensors = {tensor.name: _held(tensor, held) for tensor in container.tensors} | placed
    left_out = manifest.extra.get("left_out", {})
    return replace(
        container,
        format=manifest.source["framework"] or "",
        files=(path,),
        tensors=tuple(tensors[name] for name in manifest.tensors if name in tensors),
        warnings=(
            *(f"left out by {found.script}: {n} x {reason}" for reason, n in left_out.items()),
            *manifest.extra.get("notes", ()),
        ),
        sha256=manifest.source["sha256"],
    )


def _held(tensor: RawTensor, held: HeldFile) -> RawTensor:
    """Let a tensor be read through the open file, which has no name any more."""
    backing = tensor.backing
    if isinstance(backing, MappedArray):
        backing = replace(backing, stamp=replace(backing.stamp, held=held))
    return replace(tensor, backing=backing)
