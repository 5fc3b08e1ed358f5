"""Values of four-bit numbers and of exponents stored alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

_MAGNITUDES = np.array([0, 0.5, 1, 1.5, 2, 3, 4, 6])

E2M1 = np.concatenate([_MAGNITUDES, -_MAGNITUDES])
"""By code: one bit of sign, two of exponent, one of mantissa; float64."""


def powers_of_two(codes: NDArray[Any]) -> NDArray[np.float64]:
    """Values of E8M0 exponents: 2^(code - 127), NaN for 255.

    Parameters
    ----------
    codes : uint8.

    Spec: PAK-30. Source: OCP Microscaling Formats (MX) Specification 1.0.

    >>> powers_of_two(np.array([127, 130, 255], np.uint8))
    array([ 1.,  8., nan])
    """
    return np.take(_POWERS, codes)


_POWERS = np.append(np.ldexp(1.0, np.arange(255) - 127), np.nan)
