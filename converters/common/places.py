"""Where in their files the numbers of tensors lie, for a reader that needs no copy of them."""

import os
from collections.abc import Sequence
from typing import Any

from common.containers import place_of
from common.source import Tensor


def places_of(tensors: Sequence[Tensor]) -> dict[str, dict[str, Any]]:
    """Places of the tensors that lie in a file as they are.

    Returns
    -------
    dict by name: file, its size and time of modification in ns, offset in bytes, dtype, shape,
    strides in bytes. Numbers are little-endian.
    """
    found = {}
    for tensor in tensors:
        array = tensor.read() if tensor.is_mapped else None
        place = None if array is None or array.size == 0 else place_of(array)
        if array is None or place is None or min(array.strides, default=0) < 0:
            continue
        file, offset = place
        status = file.stat()
        found[tensor.name] = {
            "file": os.fspath(file),
            "size": status.st_size,
            "modified_ns": status.st_mtime_ns,
            "offset": offset,
            "dtype": tensor.dtype,
            "shape": list(array.shape),
            "strides": list(array.strides),
        }
    return found
