"""What a weight file holds: `Weights`, and one `Layer` for every tensor."""

from __future__ import annotations

import hashlib
import re
from concurrent.futures import CancelledError
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from htsr_ref.errors import WeightFileError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from threading import Event

    from htsr_ref.weights.backing import AnyPath
    from htsr_ref.weights.stored import StoredTensor

LeftOutCode = Literal["left-out", "not-understood", "bad-data"]
"""Kind of reason for which a tensor is left out when its file is opened (RPT-3)."""

DIGESTED = 2**20
"""Bytes of a file that are read at a time for its digest."""


@dataclass(frozen=True)
class Part:
    """One of the projections or gates fused along the axis "out". Spec: FMT-4."""

    name: str
    size: int


@dataclass(frozen=True, slots=True)
class Layer:
    """One tensor of a weight file, with what it means.

    Parameters
    ----------
    name : the layer's name; unique among the layers of the file.
    tensor : the tensor's name in the file.
    role : what it is for, one of `ROLES`.
    shape : canonical shape, [stack..., out, in, k1...kd].
    dtype : number type as stored, by NumPy's name.
    axes : names of the canonical axes; empty if the tensor is not a weight matrix.
    groups : number of groups of a convolution; divides the axis "out".
    parts : sections of the axis "out"; empty if it is one piece.
    layer_class : class of the layer in the source, in snake case; None if it does not matter.
    decided : "stated", "stated: <rule>", "inferred: <rule>" or "override: <pattern>".
    left_out : why the tensor is not analyzed; None if it is.
    code : kind of that reason.
    same_as : the tensor that holds the same weights.
    warnings : what the user should know about this layer.
    data : the numbers, read on demand.
    plain_name : the tensor's name, or that which a computed weight would have in its place.

    Spec: FMT-14.
    """

    name: str
    tensor: str
    role: str
    shape: tuple[int, ...]
    dtype: str
    axes: tuple[str, ...]
    groups: int
    parts: tuple[Part, ...]
    layer_class: str | None
    decided: str
    left_out: str | None
    code: LeftOutCode
    same_as: str | None
    warnings: tuple[str, ...]
    data: StoredTensor
    plain_name: str

    @property
    def is_transposed(self) -> bool:
        """Whether it is a transposed convolution."""
        return self.is_conv and (self.layer_class or "").endswith("_transpose")

    @property
    def is_bare(self) -> bool:
        """Whether its name says that it is a parameter of its own beside a module's weight."""
        leaf = re.split(r"[./]", self.plain_name)[-1]
        return leaf != self.plain_name and re.fullmatch(r"\w+_proj_weight", leaf) is not None

    @property
    def is_conv(self) -> bool:
        """Whether it is a convolution: its axes say so."""
        return "k1" in self.axes


@dataclass(frozen=True)
class Weights:
    """A weight file whose header has been read.

    Parameters
    ----------
    name : file or folder name as given; "memory" for arrays.
    format : safetensors, safetensors-sharded, hdf5, npz, npy or memory; the framework's name of a
        file in a format of its own, such as pytorch.
    layers : every tensor, in the order of the file.
    source : the manifest's `source` block.
    extra : what the file's maker added to the manifest; not interpreted here.
    files : the files it consists of, in name order.
    warnings : what the user should know about the file.
    base : the other model that these weights were computed with.
    """

    name: str
    format: str
    layers: tuple[Layer, ...]
    source: Mapping[str, str | None] | None
    files: tuple[AnyPath, ...]
    warnings: tuple[str, ...]
    extra: Mapping[str, Any] = field(default_factory=dict)
    base: Base | None = None

    def sha256(self, unwanted: Event | None = None) -> str | None:
        """Digest of the file, in hexadecimal.

        Of several files it is the SHA-256 of their hexadecimal digests, joined without a
        separator in the order of their names. None for arrays in memory and for remote files,
        which are not read as a whole.

        Parameters
        ----------
        unwanted : once it is set, the rest is not read, and CancelledError is raised.

        Raises
        ------
        WeightFileError
            If a file can no longer be read.

        Spec: FMT-18.
        """
        local = tuple(path for path in self.files if isinstance(path, Path))
        return digest_of(local, unwanted) if local and len(local) == len(self.files) else None

    def etag(self) -> str | None:
        """Version of a remote file, as its server states it; None for what is not remote.

        Of several files it is the SHA-256 of their versions, joined by line feeds in the order of
        their names, in hexadecimal.

        Spec: FMT-32.
        """
        tags = [path.stamp().tag for path in self.files if not isinstance(path, Path)]
        if len(tags) > 1:
            return hashlib.sha256("\n".join(tags).encode()).hexdigest()
        return tags[0] if tags else None


@dataclass(frozen=True)
class Base:
    """The other model of weights that were computed from two.

    Parameters
    ----------
    relation : "minus" if it was subtracted, "plus" if an adapter was added to it.
    weights : the model.

    Spec: DER-10, DER-11.
    """

    relation: Literal["minus", "plus"]
    weights: Weights


_LAYER_SUFFIX = re.compile(r"[./](weight|kernel)(:0)?$")


def layer_name(tensor: str) -> str:
    """Name of the layer that a tensor belongs to.

    >>> layer_name("encoder.fc1.weight"), layer_name("dense/kernel:0"), layer_name("fc1.bias")
    ('encoder.fc1', 'dense', 'fc1.bias')
    """
    return _LAYER_SUFFIX.sub("", tensor) or tensor


def digest_of(files: Sequence[Path], unwanted: Event | None = None) -> str:
    """Digest of one file, or of several, in hexadecimal.

    Parameters
    ----------
    files : at least one, in the order of their names.
    unwanted : once it is set, the rest is not read, and CancelledError is raised.

    Raises
    ------
    WeightFileError
        If a file cannot be read.

    Spec: FMT-18.
    """
    digests = [_file_digest(path, unwanted) for path in files]
    if len(digests) == 1:
        return digests[0]
    return hashlib.sha256("".join(digests).encode("ascii")).hexdigest()


def _file_digest(path: Path, unwanted: Event | None) -> str:
    digest, buffer = hashlib.sha256(), bytearray(DIGESTED)
    try:
        with path.open("rb", buffering=0) as file:
            while (size := file.readinto(buffer)) > 0:
                if unwanted is not None and unwanted.is_set():
                    raise CancelledError
                digest.update(memoryview(buffer)[:size])
    except OSError as error:
        raise WeightFileError(
            path, f"it cannot be read ({error.strerror})", "Check the path, and open it again"
        ) from error
    return digest.hexdigest()
