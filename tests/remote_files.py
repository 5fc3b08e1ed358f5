"""Safetensors files as bytes, and one that is larger than memory allows."""

import json
import math

import numpy as np
from loopback import Served


def safetensors(tensors, metadata=None, pad=0):
    """A file of float32 tensors; `pad` spaces make its header longer."""
    header, parts, at = {"__metadata__": metadata} if metadata else {}, [], 0
    for name, array in tensors.items():
        data = np.asarray(array, "<f4").tobytes()
        offsets = [at, at + len(data)]
        header[name] = {"dtype": "F32", "shape": list(np.shape(array)), "data_offsets": offsets}
        parts.append(data)
        at += len(data)
    text = json.dumps(header).encode() + b" " * pad
    return len(text).to_bytes(8, "little") + text + b"".join(parts)


def large(name, array, others):
    """Serve a tensor behind others of zeros, given as shapes by name, which are never made."""
    header, at = {}, 0
    for other, shape in others.items():
        size = 4 * math.prod(shape)
        offsets = [at, at + size]
        header[other] = {"dtype": "F32", "shape": list(shape), "data_offsets": offsets}
        at += size
    data = np.asarray(array, "<f4").tobytes()
    offsets = [at, at + len(data)]
    header[name] = {"dtype": "F32", "shape": list(np.shape(array)), "data_offsets": offsets}
    text = json.dumps(header).encode()
    first = len(text).to_bytes(8, "little") + text
    begin = len(first) + at

    def read(start, stop):
        content = bytearray(stop - start)
        for place, piece in ((0, first), (begin, data)):
            low, high = max(start, place), min(stop, place + len(piece))
            if low < high:
                content[low - start : high - start] = piece[low - place : high - place]
        return bytes(content)

    return Served(begin + len(data), read)
