"""`PackedTensor`: the weight that codes, scales and zeros stand for, decoded by blocks."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from htsr_ref.errors import LayerError, shown
from htsr_ref.weights.indexing import selections

if TYPE_CHECKING:
    from numpy.typing import NDArray

Decode = Callable[[int, slice, slice], "NDArray[np.float64]"]
"""From the place in a stack (0 without one), some rows and some columns to float64.

The slices have start, stop and step. Columns begin at a multiple of `PackedTensor.unit`, end at
one or with the matrix, and have the step 1.
"""

_CHUNK = 1 << 18
"""Numbers that are decoded at a time: 2 MB of float64, which is what fits into a cache."""

_LEAVES = {"qweight": "weight", "weight_packed": "weight"}
"""Last components of the names of codes, and those of the weights in their place."""


@dataclass(frozen=True, eq=False)
class PackedTensor:
    """A weight whose numbers are computed when they are asked for.

    It is indexed as a `StoredTensor` is; only what an index touches is decoded.

    Parameters
    ----------
    name : the tensor that holds the codes.
    dtype : the scheme in a few words, such as "int4 (GPTQ)".
    shape : (out, in) or (stack, out, in).
    decode : what computes a part; it reads no more than it needs for that.
    parts : role of every tensor of the module that the weight is made of, by the names that
        `PackedModule.tensors` has: packed, scale, zero point or codebook.
    unit : columns that are decoded together.
    is_canonical : whether its axes are (out, in), whatever the order of the module's own weight.
    """

    name: str
    dtype: str
    shape: tuple[int, ...]
    decode: Decode
    parts: Mapping[str, str]
    unit: int = 1
    is_canonical: bool = True

    @property
    def plain_name(self) -> str:
        """Name that the weight would have if it were stored as itself.

        Spec: PAK-14.
        """
        stem, dot, leaf = self.name.rpartition(".")
        plain = f"{stem}{dot}{_LEAVES.get(leaf, leaf)}"
        return plain.removesuffix("_blocks").removesuffix(".blocks") or plain

    def __getitem__(self, index: Any) -> NDArray[np.float64]:
        """Decode one part.

        Parameters
        ----------
        index : integers, slices and at most one Ellipsis (NumPy's basic indexing).

        Returns
        -------
        New float64 array.

        Raises
        ------
        LayerError
            If the file vanished, changed or cannot be read, or its codes are damaged.
        IndexError, TypeError
            As NumPy raises them for a bad index.
        """
        chosen = selections(index, self.shape)
        *stack, rows, columns = (selection.forward for selection in chosen)
        places = range(math.prod(self.shape[:-2]))[stack[0]] if stack else range(1)
        try:
            found = [self._decoded(place, rows, columns) for place in places]
        except OSError as error:
            raise LayerError(
                f"tensor {shown(self.name)} cannot be read: {error}. Open the weights again"
            ) from error
        heights = len(range(self.shape[-2])[rows]), len(range(self.shape[-1])[columns])
        is_one = len(found) == 1
        values = found[0][None] if is_one else np.array(found).reshape(len(found), *heights)
        part = (values if stack else values[0])[tuple(selection.rest for selection in chosen)]
        return np.asarray(part, order="C")

    def _decoded(self, place: int, rows: slice, columns: slice) -> NDArray[np.float64]:
        """Decode rows and columns of one matrix, a few rows at a time."""
        height, width = self.shape[-2:]
        taken, wanted = range(height)[rows], range(width)[columns]
        values = np.empty((len(taken), len(wanted)))
        if not values.size:
            return values
        start = wanted[0] // self.unit * self.unit
        stop = min(-(-(wanted[-1] + 1) // self.unit) * self.unit, width)
        around = slice(start, stop, 1)
        part = slice(wanted[0] - start, wanted[-1] + 1 - start, wanted.step)
        step = max(_CHUNK // (stop - start), 1)
        for first in range(0, len(taken), step):
            some = taken[first : first + step]
            chosen = slice(some[0], some[-1] + 1, some.step)
            values[first : first + step] = self.decode(place, chosen, around)[:, part]
        return values

    def read(self, index: tuple[slice, ...]) -> NDArray[np.float64]:
        """Return the numbers of a part, as a backing returns codes."""
        return self[index]

    def load(self) -> PackedTensor:
        """Return the tensor itself: its codes are read by rows each time."""
        return self
