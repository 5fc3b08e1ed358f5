"""A convolution on periodic images, taken apart by the Fourier transform into real matrices."""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from htsr_ref.layers.matrices import Tensor, WeightMatrix, weight_matrix


@dataclass(frozen=True)
class FrequencyBlock:
    """What a convolution does to one frequency, as a real matrix.

    The kernel's transform at the frequency f is a complex matrix A + iB. Where f = -f it is real.
    Elsewhere f and -f share their singular values, and the real matrix [[A, -B], [B, A]] has
    each of them twice: exactly those of both.

    Attributes
    ----------
    kernel : the tensor [stack…, out, in, k1…kd].
    index : the cut of it, up to the axis out.
    frequency : f, one whole number from 0 to size - 1 for every side of the kernel.
    size : side of the images.

    Spec: MAT-12. Source: Sedghi, Gupta & Long (arXiv 1805.10408), theorem 6.
    """

    kernel: Tensor
    index: tuple[int | slice, ...]
    frequency: tuple[int, ...]
    size: int

    @property
    def is_real(self) -> bool:
        """Whether f = -f."""
        return all(2 * f % self.size == 0 for f in self.frequency)

    @property
    def shape(self) -> tuple[int, ...]:
        """Rows and columns of the real matrix."""
        rows = self.index[-1]
        assert isinstance(rows, slice)  # noqa: S101 - narrows the type, cannot fail
        out, in_ = rows.stop - rows.start, self.kernel.shape[len(self.index)]
        return (out, in_) if self.is_real else (2 * out, 2 * in_)

    @property
    def dtype(self) -> str:
        """Name of the kernel's stored type."""
        return self.kernel.dtype

    def __getitem__(self, index: Any) -> NDArray[np.float64]:
        """Transform the kernel and take a part of the matrix."""
        kernel = self.kernel[self.index]
        turns = np.tensordot(self.frequency, np.indices(kernel.shape[2:]), 1) % self.size
        angles = 2 * np.pi / self.size * turns
        A = np.tensordot(kernel, np.cos(angles), angles.ndim)
        if not self.is_real:
            B = np.tensordot(kernel, np.sin(angles), angles.ndim)
            A = np.block([[A, -B], [B, A]])
        part: NDArray[np.float64] = A[index]
        return part


def frequency_matrices(
    kernel: Tensor, above: tuple[int, ...], rows: slice, size: int
) -> Iterator[WeightMatrix]:
    """Matrices whose singular values together are those of a convolution on periodic images.

    Parameters
    ----------
    kernel : the tensor [stack…, out, in, k1…kd].
    above : indices along its stack axes.
    rows : range of its axis `out`.
    size : side of the images.

    Spec: MAT-12.
    """
    sides = len(kernel.shape) - len(above) - 2
    for frequency in itertools.product(range(size), repeat=sides):
        if frequency <= tuple(-f % size for f in frequency):
            yield weight_matrix(FrequencyBlock(kernel, (*above, rows), frequency, size))
