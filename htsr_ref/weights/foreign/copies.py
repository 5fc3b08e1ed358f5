"""Numbers that a script must write out, since they do not lie in the source as they are."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from htsr_ref.weights.backing import FileStamp, HeldFile, UncompressedArray
from htsr_ref.weights.foreign.running import Answer, run_script
from htsr_ref.weights.leftovers import temporary_folder
from htsr_ref.weights.safetensors_file import read_safetensors

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    from htsr_ref.weights.backing import Backing
    from htsr_ref.weights.foreign.kinds import Foreign


@dataclass(frozen=True)
class Copies:
    """What a script copies of a file, in a temporary file without a name.

    Parameters
    ----------
    path, found : file or folder, and its format.

    Spec: FMT-26.
    """

    path: Path
    found: Foreign

    @cached_property
    def made(self) -> tuple[Answer, Mapping[str, Backing]]:
        """Run the script once; its answer, and where the copied numbers of each tensor are."""
        with temporary_folder() as folder:
            output = folder / "converted.safetensors"
            answer = run_script(self.path, self.found, output)
            if not output.exists():
                folder.rmdir()
                return answer, {}
            tensors = read_safetensors(output).tensors
            held = HeldFile(output, folder)
        return answer, {tensor.name: _held(tensor.backing, held) for tensor in tensors}


@dataclass(frozen=True)
class Copied:
    """A tensor of a file that is converted when the first number is asked for."""

    copies: Copies
    name: str

    def read(self, index: tuple[slice, ...]) -> NDArray[Any]:
        """Part of the array."""
        return self._copy.read(index)

    def load(self) -> Backing:
        """Return the array in memory."""
        return self._copy.load()

    @property
    def _copy(self) -> Backing:
        return self.copies.made[1][self.name]


def _held(backing: Backing, held: HeldFile) -> Backing:
    """Let a tensor be read through the open file, which has no name any more."""
    if isinstance(backing, UncompressedArray) and isinstance(backing.stamp, FileStamp):
        return replace(backing, stamp=replace(backing.stamp, held=held))
    return backing
