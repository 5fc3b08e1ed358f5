"""HDF5 files from strangers: nothing is followed out of the file, no claimed size is trusted."""

from collections.abc import Iterator
from math import prod
from pathlib import Path
from typing import Any, BinaryIO

from common.containers import DAMAGED, MAX_RATIO
from common.errors import ConversionError
from common.names import NameBudget, width

FILTERS = {1, 2, 3}
"""Deflate, shuffle and Fletcher's checksum; others would be loaded from the disk."""


def open_hdf5(file: Path | BinaryIO) -> Any:
    """Open a file for reading."""
    try:
        import h5py
    except ImportError as error:
        raise ConversionError("reading HDF5 needs h5py", "Install it: pip install h5py") from error
    try:
        return h5py.File(file, "r")
    except (OSError, ValueError, RuntimeError) as error:
        raise ConversionError("it is not an intact HDF5 file", DAMAGED) from error


def datasets(file: Any) -> Iterator[tuple[str, Any]]:
    """Datasets of a file with their paths; only hard links count, a group is entered once."""
    import h5py

    entered = set()
    budget = NameBudget()
    waiting: list[tuple[str, Any]] = [("", file)]
    while waiting:
        path, item = waiting.pop()
        if isinstance(item, h5py.Dataset):
            yield path, item
            continue
        address = h5py.h5o.get_info(item.id).addr
        if not isinstance(item, h5py.Group) or address in entered:
            continue
        entered.add(address)
        names = []
        for name in item:
            if isinstance(item.get(name, getlink=True), h5py.HardLink):
                budget.spend(width(path) + width(name))
                names.append(name)
        waiting += [(f"{path}/{name}".lstrip("/"), item[name]) for name in reversed(names)]


def check_dataset(name: str, dataset: Any) -> None:
    """Refuse a dataset whose numbers are not all in the file.

    Raises
    ------
    ConversionError
        If it is external, virtual, filtered by a plug-in, or larger than its bytes could make it.
    """
    properties = dataset.id.get_create_plist()
    filters = {properties.get_filter(at)[0] for at in range(properties.get_nfilters())}
    if dataset.external is not None or dataset.is_virtual:
        raise ConversionError("its numbers are in another file", "Save it in one", name)
    if not filters <= FILTERS:
        raise ConversionError(f"its filters {sorted(filters)} are not plain ones", "Save it", name)
    claimed = prod(dataset.shape) * dataset.dtype.itemsize
    ratio = MAX_RATIO if filters else 1
    chunk = prod(dataset.chunks or (0,)) * dataset.dtype.itemsize
    if max(claimed, chunk) > ratio * dataset.id.get_storage_size():
        raise ConversionError(f"it claims {claimed} bytes", DAMAGED, name)
