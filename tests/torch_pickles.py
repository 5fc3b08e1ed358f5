"""Instructions of pickles, as PyTorch writes them, by hand."""

import pickle
import struct


def tensor(
    key: bytes, offset: int, shape: tuple[int, ...], strides: tuple[int, ...], numel: int = 4
) -> bytes:
    """Instructions that make a tensor, with a view and the key of a storage of our choosing."""
    count = b"J" + struct.pack("<i", numel)
    storage = b"(U\x07storagectorch\nFloatStorage\nU\x01" + key + b"U\x03cpu" + count + b"tQ"
    # Without the two bytes that begin a pickle and the one that ends it, values can be strung.
    view = b"".join(pickle.dumps(value, 2)[2:-1] for value in (offset, shape, strides, False, {}))
    return b"ctorch._utils\n_rebuild_tensor_v2\n(" + storage + view + b"tR"
