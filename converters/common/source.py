"""What a converter hands over: a `Source` of `Tensor`s that are not read yet."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from common.facts import UNSTATED, Facts
from numpy.typing import NDArray


@dataclass(frozen=True)
class Tensor:
    """One tensor of the source.

    Parameters
    ----------
    name : its name in the file to be written.
    shape : shape of what `read` returns.
    dtype : number type, by NumPy's name or ml_dtypes' ("bfloat16", "float8_e4m3fn").
    read : returns the array as the source stores it; called when it is written, and the array is
        dropped after that. Types that NumPy lacks come as their codes (uint16, uint8).
    facts : what the source states of it.
    same_as : name of the tensor that shares its numbers; that one has no `same_as` itself.
    is_mapped : whether `read` returns a view of the file, whose bytes are the codes.
    """

    name: str
    shape: tuple[int, ...]
    dtype: str
    read: Callable[[], NDArray[Any]]
    facts: Facts = UNSTATED
    same_as: str | None = None
    is_mapped: bool = False


@dataclass(frozen=True)
class Source:
    """A model whose header has been read.

    Parameters
    ----------
    framework : "pytorch", "keras", ...
    name : of the file or folder, without its path.
    files : the files it consists of, for the digest.
    dropped : how many tensors were left out, by reason.
    notes : what the user should know, one line each.
    config : what the source states of the model as a whole, as JSON can hold it.
    """

    framework: str
    name: str
    tensors: Sequence[Tensor]
    files: Sequence[Path]
    dropped: Mapping[str, int] = field(default_factory=dict)
    notes: Sequence[str] = ()
    config: Mapping[str, Any] = field(default_factory=dict)
