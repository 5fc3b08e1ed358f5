"""HDF5 files that the HDF5 library never finishes reading; offsets as in its file format."""

import json
import struct

import h5py
import numpy as np


def endless_heap(path):
    """The free space of the heap that holds texts is said to take no bytes."""
    with h5py.File(path, "w") as file:
        file["w"] = np.ones((3, 2), np.float32)
        file.create_dataset("htsr_manifest", data=json.dumps({}), dtype=h5py.string_dtype())
        file.attrs["model_config"] = json.dumps({})
    content = bytearray(path.read_bytes())
    at = content.index(b"GCOL") + 16
    number, size = struct.unpack_from("<H6xQ", content, at)
    while number:
        at += 16 + -(-size // 8) * 8
        number, size = struct.unpack_from("<H6xQ", content, at)
    struct.pack_into("<Q", content, at + 8, 0)
    path.write_bytes(content)


def endless_free_list(path):
    """A free block among a group's names says that it is the next one: memory without end."""
    with h5py.File(path, "w") as file:
        file["a/w"] = np.ones((3, 2), np.float32)
    content = bytearray(path.read_bytes())
    free, names = struct.unpack_from("<QQ", content, content.index(b"HEAP") + 16)
    struct.pack_into("<Q", content, names + free, free)
    path.write_bytes(content)


def endless_siblings(path):
    """The node of a group's members says that it is its own neighbor."""
    with h5py.File(path, "w") as file:
        file["a/w"] = np.ones((3, 2), np.float32)
    content = bytearray(path.read_bytes())
    at = content.index(b"TREE")
    struct.pack_into("<Q", content, at + 16, at)
    path.write_bytes(content)


FAULTS = (endless_heap, endless_free_list, endless_siblings)
