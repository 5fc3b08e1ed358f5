"""A convolution on periodic images, taken apart by the Fourier transform into real matrices."""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from htsr_ref.layers.matrices import BLOCK_ELEMENTS, Origin, WeightMatrix
from htsr_ref.layers.tensors import Tensor


@dataclass(frozen=True)
class FrequencyMatrix(WeightMatrix):
    """What a convolution does to one frequency, as a real matrix.

    The kernel's transform at the frequency f is a complex matrix A + iB. Where f = -f it is real.
    Elsewhere f and -f share their singular values, and the real matrix [[A, -B], [B, A]] has
    each of them twice: exactly those of both.

    Attributes
    ----------
    data : the kernel, a tensor [stack…, out, in, k1…kd].
    index : the cut of it, up to the axis out.
    frequency : f, one whole number from 0 to size - 1 for every side of the kernel.
    size : side of the images.

    Spec: MAT-12. Source: Sedghi, Gupta & Long (arXiv 1805.10408), theorem 6.
    """

    frequency: tuple[int, ...]
    size: int

    @property
    def cut(self) -> str:
        """What tells it apart from the other matrices of its tensor."""
        return f"{super().cut} at frequency {self.frequency} of {self.size}"

    def blocks(self) -> Iterator[NDArray[np.float64]]:
        """Yield W in blocks of consecutive rows, each (b, M) float64."""
        W = self.to_array()
        height = max(1, BLOCK_ELEMENTS // self.M)
        for start in range(0, self.N, height):
            yield W[start : start + height]

    def to_array(self) -> NDArray[np.float64]:
        """Transform the kernel into W, (N, M) float64."""
        kernel = self.data[self.index]
        turns = np.tensordot(self.frequency, np.indices(kernel.shape[2:]), 1) % self.size
        angles = 2 * np.pi / self.size * turns
        A = np.tensordot(kernel, np.cos(angles), angles.ndim)
        if not _is_real(self.frequency, self.size):
            B = np.tensordot(kernel, np.sin(angles), angles.ndim)
            A = np.block([[A, -B], [B, A]])
        W: NDArray[np.float64] = A.T if self.transposed else A
        return W


def _is_real(frequency: tuple[int, ...], size: int) -> bool:
    """Whether f = -f."""
    return all(2 * f % size == 0 for f in frequency)


def frequency_matrices(
    kernel: Tensor, above: tuple[int, ...], rows: slice, size: int
) -> Iterator[FrequencyMatrix]:
    """Matrices whose singular values together are those of a convolution on periodic images.

    Parameters
    ----------
    kernel : the tensor [stack…, out, in, k1…kd].
    above : indices along its stack axes.
    rows : range of its axis `out`.
    size : side of the images.

    Spec: MAT-12.
    """
    axis = len(above)
    for frequency in itertools.product(range(size), repeat=len(kernel.shape) - axis - 2):
        if frequency <= tuple(-f % size for f in frequency):
            copies = 1 if _is_real(frequency, size) else 2
            out, in_ = copies * (rows.stop - rows.start), copies * kernel.shape[axis + 1]
            yield FrequencyMatrix(
                label="",
                N=max(out, in_),
                M=min(out, in_),
                data=kernel,
                index=(*above, rows),
                transposed=out < in_,
                origin=Origin(False, out, in_),
                frequency=frequency,
                size=size,
            )
