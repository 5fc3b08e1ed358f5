"""NumPy arrays in pickles: our functions in place of NumPy's own."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from arrays.npy import NUMBER_CODES
from common.numbers import CODES
from numpy.typing import NDArray
from pickles.machine import Global, inert

_OTHERS = {f"ml_dtypes.{name}": name for name in CODES if name.startswith(("bfloat16", "float8_"))}
"""Number types that NumPy lacks."""


@dataclass(eq=False)
class PickledType:
    """A number type; its byte order comes with its state."""

    code: str

    def build(self, state: Any) -> None:
        """Take the byte order."""
        self.code = _text(state[1]) + self.code.lstrip("<>=|")

    @property
    def other(self) -> str | None:
        """Name of the type, if NumPy lacks it."""
        name = self.code.lstrip("<=|")
        return name if name in _OTHERS.values() else None

    @property
    def holds_numbers(self) -> bool:
        """Whether the type is one that can be written."""
        return self.other is not None or NUMBER_CODES.fullmatch(self.code) is not None

    def dtype(self) -> np.dtype[Any]:
        """NumPy's type, or that of the codes; ValueError if it is not one of numbers."""
        if self.other is not None:
            return np.dtype(CODES[self.other][1])
        if not self.holds_numbers:
            raise ValueError(f"an array of type {self.code!r}")
        return np.dtype(self.code)


@dataclass(eq=False)
class PickledArray:
    """An array, None if it does not hold numbers; and the type, where NumPy lacks it."""

    array: NDArray[Any] | None = None
    codes_of: str | None = None

    @property
    def dtype(self) -> str:
        """Name of the number type."""
        return self.codes_of or ("object" if self.array is None else self.array.dtype.name)

    def build(self, state: Any) -> None:
        """Take shape, type, order and numbers."""
        _, shape, dtype, is_fortran, data = state
        self.array = _array(data, dtype, shape, "F" if is_fortran else "C")
        self.codes_of = dtype.other if isinstance(dtype, PickledType) else None


def numpy_function(name: str) -> Callable[..., Any] | None:
    """Our function for a name of NumPy's; None if there is none."""
    return _FUNCTIONS.get(name.replace("numpy._core.", "numpy.core."))


def encode(text: str, encoding: str) -> bytes:
    """Bytes of the latin-1 text that protocol 2 stores in their place."""
    if _text(encoding) not in ("latin1", "latin-1"):
        raise ValueError(f"text in {encoding!r}")
    return text.encode("latin-1")


def _type_of(code: Any) -> str:
    if isinstance(code, Global) and code.name in _OTHERS:
        return _OTHERS[code.name]
    return _text(code)


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{type(value).__name__} in place of a text")
    return value


def size_of(shape: Any) -> int:
    """Count the numbers in an array of a shape; ValueError if that is not a list of sizes."""
    if not all(isinstance(n, int) and 0 <= n < 2**63 for n in shape) or len(shape) > 32:
        raise ValueError("a shape that is not a list of sizes")
    return math.prod(shape)


def _array(data: Any, dtype: Any, shape: Any, order: Any) -> NDArray[Any] | None:
    if not isinstance(dtype, PickledType) or not dtype.holds_numbers:
        return None
    if isinstance(data, str):  # Python 2
        data = data.encode("latin-1")
    numbers = np.frombuffer(data, dtype.dtype())
    if size_of(shape) != numbers.size:
        raise ValueError(f"{numbers.size} numbers in an array of shape {shape}")
    return numbers.reshape(shape, order="F" if order == "F" else "C")


_FUNCTIONS: dict[str, Callable[..., Any]] = {
    "numpy.dtype": lambda code, *_: PickledType(_type_of(code)),
    "numpy.ndarray": inert,
    "numpy.core.multiarray._reconstruct": lambda *_: PickledArray(),
    "numpy.core.multiarray.scalar": inert,
    "numpy.core.numeric._frombuffer": lambda *state: PickledArray(_array(*state)),
    "_codecs.encode": encode,
    **dict.fromkeys(_OTHERS, inert),
}
