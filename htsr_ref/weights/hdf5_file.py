"""Reader of HDF5 files: only what lies in the file itself, and only plain arrays."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import h5py
import numpy as np

from htsr_ref.errors import WeightFileError
from htsr_ref.weights.backing import FileStamp, InMemory
from htsr_ref.weights.container import Container, RawTensor
from htsr_ref.weights.hdf5_trial import trouble
from htsr_ref.weights.manifest import MANIFEST_KEY, parse_manifest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray


MAX_RATIO = 1032
"""What deflate can compress at most: 258 bytes into two bits. Spec: FMT-10."""

MAX_NAME = 2048
"""Characters of a name; groups within groups repeat theirs in that of every dataset."""

MAX_DEPTH = 64
"""Groups within groups; without a limit the names alone could fill the memory."""

_FILTERS = (
    h5py.h5z.FILTER_DEFLATE,
    h5py.h5z.FILTER_SHUFFLE,
    h5py.h5z.FILTER_FLETCHER32,
    h5py.h5z.FILTER_SZIP,
    h5py.h5z.FILTER_NBIT,
    h5py.h5z.FILTER_SCALEOFFSET,
    h5py.h5z.FILTER_LZF,
)
"""Filters that are part of HDF5 or h5py; any other would load a plug-in from the disk."""

_DAMAGED = (OSError, RuntimeError, LookupError, ValueError, TypeError, ArithmeticError, MemoryError)
_COPY = "Copy the weights into one plain HDF5 file"
_AGAIN = "Download or convert the file again"


@dataclass(frozen=True)
class Dataset:
    """An array in an HDF5 file; the file is opened for one access."""

    stamp: FileStamp
    path: str

    def read(self, index: tuple[slice, ...]) -> NDArray[Any]:
        """Read a part of the dataset."""
        self.stamp.open().close()
        try:
            with h5py.File(self.stamp.path, "r") as file:
                return np.asarray(file[self.path][index])
        except _DAMAGED as error:
            raise OSError(f"{self.stamp.path} is damaged ({error})") from error

    def load(self) -> InMemory:
        """Return the dataset in memory."""
        self.stamp.open().close()
        try:
            with h5py.File(self.stamp.path, "r") as file:
                return InMemory(np.asarray(file[self.path][()]))
        except _DAMAGED as error:
            raise OSError(f"{self.stamp.path} is damaged ({error})") from error


def read_hdf5(path: Path) -> Container:
    """List the datasets of an HDF5 file.

    Raises
    ------
    WeightFileError
        If the file is damaged, has anything that points out of it (external links or storage,
        virtual datasets, references), a dataset larger than its bytes could give, or if the HDF5
        library does not finish reading it.

    Spec: FMT-10, FMT-13.
    """
    with path.open("rb") as stream:
        stamp = FileStamp.of(path, stream)
    if problem := trouble(path):
        raise WeightFileError(path, problem, _AGAIN)
    try:
        with h5py.File(path, "r") as file:
            warnings: list[str] = []
            datasets = list(_datasets(path, file, warnings))
            for name, dataset in datasets:
                _check_dataset(path, name, dataset, stamp.size)
            manifest = None
            if MANIFEST_KEY in dict(datasets):
                manifest = parse_manifest(_text(path, file[MANIFEST_KEY]), path)
            tensors = _tensors(stamp, datasets)
            is_keras = manifest is None and _is_keras(file, datasets)
    except _DAMAGED as error:
        raise WeightFileError(path, f"it is a damaged HDF5 file ({error})", _AGAIN) from error
    return Container(
        "hdf5",
        (path,),
        tensors,
        manifest,
        warnings=tuple(warnings),
        framework="keras" if is_keras else "",
    )


def _datasets(
    path: Path, root: h5py.Group, warnings: list[str]
) -> Iterator[tuple[str, h5py.Dataset]]:
    """All datasets with their names, depth first; a group that was seen is not entered again."""
    seen = {_address(root)}
    waiting: list[tuple[str, h5py.Group | h5py.Dataset]] = [("", root)]
    while waiting:
        name, item = waiting.pop()
        if isinstance(item, h5py.Dataset):
            yield name, item
            continue
        if name.count("/") >= MAX_DEPTH:
            raise WeightFileError(path, f"it is nested more than {MAX_DEPTH} deep", _COPY, name)
        members = []
        for key in item:
            member = f"{name}/{key}" if name else key
            if len(member) > MAX_NAME:
                problem = f"its name has {len(member)} characters, more than {MAX_NAME}"
                raise WeightFileError(path, problem, _COPY, member)
            link = _link(path, item, key, member)
            if isinstance(link, h5py.SoftLink):
                warnings.append(f"soft link {member!r} was not followed")
                continue
            child = item[key]
            if isinstance(child, h5py.Group):
                if _address(child) in seen:
                    continue
                seen.add(_address(child))
            if isinstance(child, h5py.Group | h5py.Dataset):
                members.append((member, child))
        waiting += reversed(members)


def _is_keras(file: h5py.File, datasets: list[tuple[str, h5py.Dataset]]) -> bool:
    """Whether Keras wrote a file: versions 1 and 2 say so, version 3 numbers its variables."""
    if "keras_version" in file.attrs or "layer_names" in file.attrs:
        return True
    return any(re.search(r"/vars/\d+$", name) for name, _ in datasets)


def _link(path: Path, group: h5py.Group, key: str, name: str) -> h5py.HardLink | h5py.SoftLink:
    try:
        link = group.get(key, getlink=True)
    except TypeError:
        link = None
    if not isinstance(link, h5py.HardLink | h5py.SoftLink):
        raise WeightFileError(path, "it is a link to another file", _COPY, name)
    return link


def _address(item: h5py.Group | h5py.Dataset) -> int:
    address: int = h5py.h5o.get_info(item.id).addr
    return address


def _check_dataset(path: Path, name: str, dataset: h5py.Dataset, file_size: int) -> None:
    """Refuse what is not a plain array that the file has the bytes for."""

    def refuse(problem: str, cure: str = _COPY) -> WeightFileError:
        return WeightFileError(path, problem, cure, name)

    if dataset.external:
        raise refuse("its data lie in another file (external storage)")
    if dataset.is_virtual:
        raise refuse("it is a virtual dataset, whose data lie in other files")
    if dataset.dtype.hasobject and h5py.check_string_dtype(dataset.dtype) is None:
        raise refuse("it holds references or lists of varying length, not numbers")
    creation = dataset.id.get_create_plist()
    filters = [creation.get_filter(at)[0] for at in range(creation.get_nfilters())]
    if any(number not in _FILTERS for number in filters):
        raise refuse("it is compressed by a filter that is not part of HDF5")
    width = dataset.id.get_type().get_size()
    size = 0 if dataset.shape is None else math.prod(dataset.shape) * width
    if dataset.chunks is not None and size:
        size = max(size, math.prod(dataset.chunks) * width)
    stored = min(dataset.id.get_storage_size(), file_size)
    if size > stored * (MAX_RATIO if filters else 1):
        raise refuse(f"it claims {size} bytes, but the file holds {stored} for it", _AGAIN)


def _text(path: Path, dataset: h5py.Dataset) -> str:
    if dataset.shape != () or h5py.check_string_dtype(dataset.dtype) is None:
        raise WeightFileError(path, "its manifest is not one string", "Convert the file again")
    return str(dataset.asstr()[()])


def _tensors(stamp: FileStamp, datasets: list[tuple[str, h5py.Dataset]]) -> tuple[RawTensor, ...]:
    first_name: dict[int, str] = {}
    tensors = []
    for name, dataset in datasets:
        if name == MANIFEST_KEY:
            continue
        kept = first_name.setdefault(_address(dataset), name)
        tensors.append(
            RawTensor(
                name,
                dataset.shape if dataset.shape is not None else (0,),
                dataset.dtype.name,
                Dataset(stamp, name),
                same_as=kept if kept != name else None,
            )
        )
    return tuple(tensors)
