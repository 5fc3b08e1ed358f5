"""`StoredTensor`: a tensor of a weight file, read and decoded part by part."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from htsr_ref.errors import ChangedWeightsError, LayerError, shown
from htsr_ref.weights.backing import (
    ChangedFileError,
    DamagedFileError,
    InMemory,
    UncompressedArray,
)
from htsr_ref.weights.derived.derived_tensor import DerivedTensor
from htsr_ref.weights.derived.low_rank import LowRank
from htsr_ref.weights.dtypes import decode, is_decoded
from htsr_ref.weights.indexing import selections
from htsr_ref.weights.packed.packed_tensor import PackedTensor

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from htsr_ref.weights.backing import Backing
    from htsr_ref.weights.meaning.axes import Layout

ComputedTensor = PackedTensor | DerivedTensor
"""A backing whose numbers are the weights, not codes of them."""


@dataclass(frozen=True, eq=False)
class Scaling:
    """Scale and zero point of quantized numbers: value = (code - zero_point) * scale.

    Each is a 0-D or 1-D array, or a tensor of the file that holds one number or one for each
    index of `axis` (a canonical axis; None for numbers that hold for the whole tensor).

    Spec: FMT-5.
    """

    scale: NDArray[np.float64] | StoredTensor
    zero_point: NDArray[np.float64] | StoredTensor
    axis: int | None


@dataclass(frozen=True, slots=True)
class StoredTensor:
    """A tensor in canonical axes; nothing is read before it is indexed.

    Parameters
    ----------
    name : the tensor's name in the file.
    dtype : number type as stored, or how the numbers are computed, or what they were decoded from.
    layout : how the canonical axes follow from the stored ones.
    backing : where the codes are.
    scaling : scale and zero point of a quantized tensor.
    stored_dtype : number type of the codes, where `dtype` is what they were decoded from.

    Spec: FMT-13, FMT-23.

    >>> from htsr_ref.weights import open_weights
    >>> data = open_weights({"fc": [[1, 2, 3], [4, 5, 6.0]]}).layers[0].data
    >>> data.shape
    (2, 3)
    >>> data[1, ::2]
    array([4., 6.])
    """

    name: str
    dtype: str
    layout: Layout
    backing: Backing
    scaling: Scaling | None = None
    stored_dtype: str | None = None

    @property
    def shape(self) -> tuple[int, ...]:
        """Canonical shape."""
        return self.layout.shape

    @property
    def is_readable(self) -> bool:
        """Whether its type has a decoder."""
        return self.is_computed or is_decoded(self.code_dtype)

    @property
    def is_computed(self) -> bool:
        """Whether its numbers are computed from several tensors."""
        return isinstance(self.backing, ComputedTensor)

    @property
    def code_dtype(self) -> str:
        """Number type of the codes."""
        return self.stored_dtype or self.dtype

    def codes(self) -> NDArray[Any]:
        """Read all codes, in canonical axes and the type they are stored in.

        Raises
        ------
        LayerError
            If the file vanished or cannot be read.
        ChangedWeightsError
            If it changed.
        """
        try:
            return self._codes(tuple(slice(0, size, 1) for size in self.shape))
        except OSError as error:
            raise self._unreadable(error) from error

    def __getitem__(self, index: Any) -> NDArray[np.float64]:
        """Read, decode and scale one part.

        Parameters
        ----------
        index : integers, slices and at most one Ellipsis (NumPy's basic indexing).

        Returns
        -------
        New float64 array.

        Raises
        ------
        LayerError
            If the file vanished or cannot be read, or its numbers cannot be decoded.
        ChangedWeightsError
            If it changed.
        IndexError, TypeError
            As NumPy raises them for a bad index.
        """
        if not self.is_readable:
            raise LayerError(
                f"tensor {shown(self.name)} cannot be read: numbers of type {self.dtype} are not "
                "decoded. Convert it to float32"
            )
        chosen = selections(index, self.shape)
        forward = tuple(selection.forward for selection in chosen)
        try:
            codes = self._codes(forward)
            values = codes if self.is_computed else decode(codes, self.code_dtype)
            if self.scaling is not None:
                values = self._scaled(values, self.scaling, forward)
        except (OSError, ValueError) as error:
            raise self._unreadable(error) from error
        part = values[tuple(selection.rest for selection in chosen)]
        return np.asarray(part, order="C")

    def product(self) -> LowRank | None:
        """Small factors whose product it is; None if it is stored or computed otherwise."""
        is_as_stored = self.layout.order == (0, 1) and not self.layout.is_merged
        derivation = self.backing.derivation if isinstance(self.backing, DerivedTensor) else None
        return derivation if is_as_stored and isinstance(derivation, LowRank) else None

    def terms(self) -> tuple[StoredTensor, ...]:
        """Weights that it is the sum or difference of; none if it is not."""
        return self.backing.terms if isinstance(self.backing, DerivedTensor) else ()

    @property
    def version(self) -> str | None:
        """What tells the numbers of a remote tensor from all others, unread; else None.

        Spec: FMT-32.
        """
        if self.scaling is not None or not isinstance(self.backing, InMemory | UncompressedArray):
            return None
        version = self.backing.version
        return (
            None if version is None else repr((version, self.dtype, self.stored_dtype, self.layout))
        )

    def load(self) -> StoredTensor:
        """Return the same tensor with its codes in memory, in the stored type.

        Many small parts can then be read without reading the file again for each.

        Raises
        ------
        LayerError
            If the file vanished or cannot be read.
        ChangedWeightsError
            If it changed.
        """
        try:
            return replace(self, backing=self.backing.load())
        except OSError as error:
            raise self._unreadable(error) from error

    def _unreadable(self, error: Exception) -> LayerError | ChangedWeightsError:
        if isinstance(error, ChangedFileError):
            return ChangedWeightsError(
                error.path,
                "it has changed since it was opened",
                "Run the command again when nothing writes to it",
            )
        is_damaged = isinstance(error, DamagedFileError)
        cure = "Save or download it again" if is_damaged else "Open the weights again"
        return LayerError(f"tensor {shown(self.name)} cannot be read: {error}. {cure}")

    def _codes(self, index: tuple[slice, ...]) -> NDArray[Any]:
        layout = self.layout
        if layout.is_merged:
            codes = self.backing.read((slice(None),) * len(layout.stored))
            viewed = codes if layout.view is None else codes.reshape(layout.view)
            return viewed.transpose(layout.order).reshape(layout.shape)[index]
        stored_index = [index[layout.order.index(axis)] for axis in range(len(layout.order))]
        return self.backing.read(tuple(stored_index)).transpose(layout.order)

    def _scaled(
        self, values: NDArray[np.float64], scaling: Scaling, index: tuple[slice, ...]
    ) -> NDArray[np.float64]:
        def along_axis(numbers: NDArray[np.float64] | StoredTensor) -> NDArray[np.float64]:
            flat = np.atleast_1d(numbers[...]).reshape(-1)
            if scaling.axis is None or flat.size == 1:
                return flat[:1].reshape((1,) * values.ndim)
            shape = [1] * values.ndim
            shape[scaling.axis] = -1
            return flat[index[scaling.axis]].reshape(shape)

        return (values - along_axis(scaling.zero_point)) * along_axis(scaling.scale)
