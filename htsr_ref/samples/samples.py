"""Reading a sample of numbers, such as eigenvalues, from what people have."""

import math
import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from htsr_ref.errors import SampleError
from htsr_ref.text.reading import read_rest
from htsr_ref.weights import open_weights
from htsr_ref.weights.sniff import HDF5_SIGNATURE


def read_sample(path: str | os.PathLike[str], key: str | None = None) -> NDArray[np.float64]:
    """Read a one-dimensional sample from a file.

    Parameters
    ----------
    path : a .npy or .npz file (recognized by content), or text.
    key : name of the array of an .npz file; needed if it holds several. Text has none.

    Returns
    -------
    (n,) float64, in the file's order.

    Raises
    ------
    WeightFileError, SampleError
        The file cannot be read, or does not hold one sample.

    Spec: PL-17.
    """
    try:
        with Path(path).open("rb") as file:
            start = file.read(9)
            if start.startswith((b"\x93NUMPY", b"PK")):
                return _from_arrays(path, key)
            if start.startswith(HDF5_SIGNATURE) or start[4:] == b"\0\0\0\0{":
                raise SampleError(f"{path}: it is a weight file. {_eigenvalues_of(path)}")
            if key is not None:
                raise SampleError(
                    f"{path}: it is text, which has no array {key!r}. Leave out --key"
                )
            return parse_sample((start + read_rest(file)).decode("utf-8-sig"), str(path))
    except OSError as error:
        raise SampleError(
            f"{path}: it cannot be read ({error.strerror}). Name a file of numbers"
        ) from error
    except UnicodeDecodeError as error:
        raise SampleError(
            f"{path}: neither an array nor text in UTF-8. Name a .npy, .npz or text file"
        ) from error


def parse_sample(text: str, name: str) -> NDArray[np.float64]:
    r"""Read numbers separated by white space, commas or semicolons.

    What follows a # is a comment; a first line without a number is a heading.

    Parameters
    ----------
    text : the text.
    name : where it comes from, for messages.

    Raises
    ------
    SampleError
        A word is not a number; names its line.

    Spec: PL-17.

    >>> parse_sample("size\n1.5, 2  # two\n3e2", "x.csv")
    array([  1.5,   2. , 300. ])
    """
    lines = [
        line.partition("#")[0].replace(",", " ").replace(";", " ") for line in text.split("\n")
    ]
    first = next((i for i, line in enumerate(lines) if line.strip()), 0)
    if not any(_is_number(word) for word in lines[first].split()):
        lines[first] = ""
    return np.array(list(_numbers(lines, name)), dtype=np.float64)


def _numbers(lines: list[str], name: str) -> Iterator[float]:
    for number, line in enumerate(lines, 1):
        for word in line.split():
            if not _is_number(word):
                raise SampleError(f"{name}: line {number}: {word!r} is not a number")
            yield float(word)


def _is_number(word: str) -> bool:
    try:
        float(word)
    except ValueError:
        return False
    return True


def _from_arrays(path: str | os.PathLike[str], key: str | None) -> NDArray[np.float64]:
    arrays = {layer.tensor: layer.data for layer in open_weights(path).layers}
    if key is None and len(arrays) == 1:
        (data,) = arrays.values()
    elif key in arrays:
        data = arrays[key]
    else:
        raise SampleError(f"{path}: name one of its arrays with --key: {', '.join(arrays)}")
    if len(data.shape) != 1:
        raise SampleError(
            f"{path}: the array has shape {data.shape}: a sample has one dimension. "
            f"{_eigenvalues_of(path)}"
        )
    return data[...]


def _eigenvalues_of(path: str | os.PathLike[str]) -> str:
    return f"For the eigenvalues of a layer: htsr spectrum {path} LAYER | htsr fit -"


def are_whole_numbers(sample: NDArray[np.float64]) -> bool:
    """Whether all values are whole: counts, which a continuous law describes only roughly.

    Spec: PL-17.
    """
    return bool(np.all(sample == np.floor(sample))) and math.isfinite(float(sample.sum()))
