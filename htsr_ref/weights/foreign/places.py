"""Tensors that are read where they lie in a framework's own file."""

from __future__ import annotations

from pathlib import Path

from htsr_ref.text import strictjson
from htsr_ref.weights.backing import FileStamp, MappedArray
from htsr_ref.weights.container import RawTensor
from htsr_ref.weights.dtypes import storage_dtype


def read_places(path: Path) -> dict[str, RawTensor]:
    """Read where a script says that numbers lie.

    A file that changes afterwards is noticed when it is read.

    Parameters
    ----------
    path : the script's answer: by name the file, its size and time of modification in ns, offset
        in bytes, dtype, shape, and strides in bytes.

    Raises
    ------
    OSError
        If there is no answer.

    Spec: FMT-27.
    """
    found = {}
    for name, place in strictjson.loads(path.read_bytes()).items():
        stamp = FileStamp(Path(place["file"]), place["size"], place["modified_ns"])
        shape, dtype = tuple(place["shape"]), place["dtype"]
        backing = MappedArray(
            stamp, place["offset"], shape, storage_dtype(dtype), strides=tuple(place["strides"])
        )
        found[name] = RawTensor(name, shape, dtype, backing)
    return found
