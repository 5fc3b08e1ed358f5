"""`PackedTensor`: the weight that codes, scales and zeros stand for, decoded by blocks of rows."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from htsr_ref.errors import LayerError
from htsr_ref.weights.indexing import selections

if TYPE_CHECKING:
    from numpy.typing import NDArray

DecodeRows = Callable[[int, slice], "NDArray[np.float64]"]
"""From the place in a stack (0 without one) and a slice of rows to float64 (rows, in)."""

_LEAVES = {"qweight": "weight", "weight_packed": "weight"}
"""Last components of the names of codes, and those of the weights in their place."""


@dataclass(frozen=True, eq=False)
class PackedTensor:
    """A weight whose numbers are computed when they are asked for.

    It is indexed as a `StoredTensor` is; the rows that an index touches are decoded whole.

    Parameters
    ----------
    name : the tensor that holds the codes.
    dtype : the scheme in a few words, such as "int4 (GPTQ)".
    shape : (out, in) or (stack, out, in).
    decode_rows : what computes rows; it reads no more than it needs for them.
    parts : role of every tensor of the module that the weight is made of, by the names that
        `PackedModule.tensors` has: packed, scale, zero point or codebook.
    is_canonical : whether its axes are (out, in), whatever the order of the module's own weight.
    """

    name: str
    dtype: str
    shape: tuple[int, ...]
    decode_rows: DecodeRows
    parts: Mapping[str, str]
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
            found = [self.decode_rows(place, rows)[:, columns] for place in places]
        except OSError as error:
            raise LayerError(
                f"tensor {self.name!r} cannot be read: {error}. Open the weights again"
            ) from error
        heights = len(range(self.shape[-2])[rows]), len(range(self.shape[-1])[columns])
        values = np.stack(found) if found else np.empty((0, *heights))
        if not stack:
            values = values[0]
        part = values[tuple(selection.rest for selection in chosen)]
        return np.array(part, dtype=np.float64, order="C")

    def read(self, index: tuple[slice, ...]) -> NDArray[np.float64]:
        """Return the numbers of a part, as a backing returns codes."""
        return self[index]

    def load(self) -> PackedTensor:
        """Return the tensor itself: its codes are read by rows each time."""
        return self
