"""Builders of weight files, byte by byte, for the tests of this folder."""

import json

import pytest


def _safetensors_bytes(header, data=b""):
    """A safetensors file; `header` is a dict, or the header's bytes as they are to be."""
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + data


@pytest.fixture(scope="session")
def safetensors_bytes():
    return _safetensors_bytes


@pytest.fixture(scope="session")
def float32_header():
    """Header entries of float32 tensors that lie one after the other."""

    def build(**shapes):
        header, position = {}, 0
        for name, shape in shapes.items():
            size = 4
            for length in shape:
                size *= length
            header[name] = {
                "dtype": "F32",
                "shape": list(shape),
                "data_offsets": [position, position + size],
            }
            position += size
        return header

    return build
