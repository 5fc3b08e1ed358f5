"""MATLAB files of version 7.3, which are HDF5: axes are reversed, cells are references."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from arrays.matlab import MAX_DEPTH
from common.containers import DAMAGED
from common.errors import ConversionError
from common.names import NameBudget, width
from hdf5.datasets import check_dataset, datasets, open_hdf5
from hdf5.trial import try_out
from numpy.typing import NDArray

MAX_CELLS = 100_000
HIDDEN = ("#refs#", "#subsystem#")
_INTEGERS = {f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)}
_NUMBERS = {"double": "float64", "single": "float32", **{name: name for name in _INTEGERS}}


def read_shapes(path: Path) -> dict[str, tuple[str, tuple[int, ...], str]]:
    """Arrays by name as one would write it in MATLAB.

    Returns
    -------
    dict from names to HDF5 path, shape and type; the type is "" if it holds no real numbers.

    Raises
    ------
    ConversionError
        If the file is damaged, or leads out of itself.
    """
    found = {}
    budget = NameBudget()
    try_out(path)
    try:
        with open_hdf5(path) as file:
            for place, dataset in datasets(file):
                if not place.startswith(HIDDEN):
                    for name, item in _cells(place.replace("/", "."), dataset, file, 0, budget):
                        found[name] = (item.name, (item.shape or ())[::-1], _type(item))
                        if found[name][2]:
                            check_dataset(name, item)
                        if len(found) > MAX_CELLS:
                            raise ConversionError(f"it has more than {MAX_CELLS} arrays", DAMAGED)
    except (OSError, ValueError, KeyError, RuntimeError, TypeError) as error:
        raise ConversionError(f"it is damaged ({error})", DAMAGED) from error
    return found


def read_array(path: Path, place: str, dtype: str) -> NDArray[Any]:
    """Numbers of one array, in MATLAB's axes."""
    try:
        with open_hdf5(path) as file:
            numbers: NDArray[Any] = np.asarray(file[place][()], dtype)
    except (OSError, ValueError, KeyError, RuntimeError, TypeError) as error:
        raise ConversionError(f"it is damaged ({error})", DAMAGED) from error
    return numbers.transpose()


def _cells(
    name: str, dataset: Any, file: Any, depth: int, budget: NameBudget
) -> Iterator[tuple[str, Any]]:
    """Yield a dataset, or what the cells of a cell array refer to."""
    import h5py

    budget.spend(width(name))
    if h5py.check_ref_dtype(dataset.dtype) is not h5py.Reference:
        yield name, dataset
        return
    if depth == MAX_DEPTH:
        raise ValueError(f"cells are nested deeper than {MAX_DEPTH}")
    check_dataset(name, dataset)
    # Axes are reversed, so that rows of the dataset are columns, as MATLAB counts cells.
    for number, reference in enumerate(dataset[()].reshape(-1), 1):
        item = file[reference] if reference else None
        if isinstance(item, h5py.Dataset):
            yield from _cells(f"{name}{{{number}}}", item, file, depth + 1, budget)
        elif isinstance(item, h5py.Group):
            for place, field in datasets(item):
                label = f"{name}{{{number}}}.{place.replace('/', '.')}"
                yield from _cells(label, field, file, depth + 1, budget)


def _type(dataset: Any) -> str:
    kind = dataset.attrs.get("MATLAB_class", b"")
    word = kind.decode("latin-1") if isinstance(kind, bytes) else ""
    if word == "logical" and dataset.shape is not None:
        return "bool"
    is_plain = (
        dataset.dtype.kind in "fiu"
        and dataset.shape is not None
        and "MATLAB_empty" not in dataset.attrs
    )
    return _NUMBERS.get(word, "") if is_plain else ""
