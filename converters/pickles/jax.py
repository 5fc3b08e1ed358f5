"""Parameters of JAX and Flax in pickles and joblib's files: trees of arrays."""

from collections.abc import Callable
from dataclasses import dataclass
from mmap import ACCESS_READ, mmap
from pathlib import Path
from typing import Any

from common.containers import open_regular
from pickles.arrays import PickledArray, PickledType, numpy_function, size_of
from pickles.machine import load, pickled_dict


@dataclass(eq=False)
class _Wrapper(PickledArray):
    """An array of joblib's: what is pickled describes the numbers, which follow at once."""

    content: mmap | None = None

    def build(self, state: Any) -> None:
        """Take the description, then the numbers out of the file."""
        content, kind, shape = self.content, state["dtype"], state["shape"]
        if content is None or not isinstance(kind, PickledType):
            raise TypeError("an array without its numbers")
        if state.get("numpy_array_alignment_bytes") is not None:
            content.seek(content.tell() + 1 + content.read(1)[0])
        size = size_of(shape) * kind.dtype().itemsize
        if size > len(content) - content.tell():
            raise ValueError("the numbers of an array are cut off")
        super().build((None, shape, kind, state["order"] == "F", content.read(size)))


def load_tree(path: Path) -> Any:
    """Read a pickle, or what joblib wrote without compression.

    Returns
    -------
    The tree of dict, list, tuple and `PickledArray`.

    Raises
    ------
    ConversionError
        If the pickle is damaged, or needs a name that is not allowed.
    """
    with open_regular(path) as file, mmap(file.fileno(), 0, access=ACCESS_READ) as content:

        def allowed(name: str) -> Callable[..., Any] | None:
            if name == "joblib.numpy_pickle.NumpyArrayWrapper":
                return lambda *_: _Wrapper(content=content)
            if name.startswith("optax."):  # states of optimizers are named tuples
                return lambda *items: list(items)
            return _FUNCTIONS.get(name) or numpy_function(name)

        return load(content, allowed)


def _reconstructed(_function: Any, _arguments: Any, state: Any, *_: Any) -> PickledArray:
    """Make an array of JAX, which pickles NumPy's in pieces."""
    array = PickledArray()
    array.build(state)
    return array


_FUNCTIONS: dict[str, Callable[..., Any]] = {
    "jax._src.array._reconstruct_array": _reconstructed,
    "jax._src.device_array.reconstruct_device_array": _reconstructed,
    "flax.core.frozen_dict.FrozenDict": lambda value=None: pickled_dict((value or {}).items()),
    "collections.OrderedDict": pickled_dict,
    "collections.defaultdict": lambda _factory=None, pairs=(): pickled_dict(pairs),
}
