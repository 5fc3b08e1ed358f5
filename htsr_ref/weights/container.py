"""What a file reader hands over: tensors as stored, before their meaning is asked for."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from htsr_ref.weights.backing import AnyPath, Backing
    from htsr_ref.weights.manifest import Manifest


@dataclass(frozen=True, slots=True)
class RawTensor:
    """A tensor as stored.

    Parameters
    ----------
    name : name in the file.
    shape : stored shape.
    dtype : name of the number type; one that `htsr_ref.weights.dtypes` does not know is left out.
    backing : where the codes are.
    same_as : the tensor with the same bytes, where the file stores them once for two names.
    """

    name: str
    shape: tuple[int, ...]
    dtype: str
    backing: Backing
    same_as: str | None = None


@dataclass(frozen=True)
class Container:
    """A weight file's tensors in file order, and its manifest if it has one."""

    format: str
    files: tuple[AnyPath, ...]
    tensors: tuple[RawTensor, ...]
    manifest: Manifest | None = None
    ties: Mapping[str, str] = field(default_factory=dict)
    """Tensors that are not stored because another, the value, holds the same weights."""
    warnings: tuple[str, ...] = ()
    framework: str = ""
    """The program that wrote it, where the file's structure shows it."""
    is_foreign: bool = False
    """Whether the manifest is a script's, made of a file that has none."""
    settings: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """What JSON files beside it and its own header state, see `read_settings`."""
