# /// script
# requires-python = ">=3.11"
# dependencies = ["numpy>=1.26", "h5py>=3.11"]
# ///
"""Add a manifest to a Hugging Face model: a folder, an index or one safetensors file.

Facts of the architecture come from config.json where there is one. h5py is needed only for
--format hdf5.
"""

import argparse
import sys
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any

from _conditions import Model
from _containers import map_array, read_at_most
from _errors import ConversionError
from _export import main
from _layout import layout
from _manifest import MANIFEST_KEY
from _model import Source, Tensor
from _numbers import CODES
from _rules import decide
from _safetensors import Entry, read_header
from _sniff import refuse, sniff
from _strict_json import loads
from numpy.typing import NDArray

INDEX = ".safetensors.index.json"
MAX_JSON = 100_000_000
AGAIN = "Download the model again"
BLOCK = 2**20
HEADS = ("lm_head.weight", "cls.predictions.decoder.weight", "embed_out.weight")
EMBEDDINGS = ("embed_tokens.weight", "wte.weight", "word_embeddings.weight", "embed_in.weight")


def open_model(path: Path, _: argparse.Namespace) -> Source:
    """Read the headers of a model's files."""
    files, index = _files(path)
    weight_map = None if index is None else _json(index)["weight_map"]
    config = _config(files[0].parent / "config.json")
    stored: dict[str, tuple[Path, Entry]] = {}
    ties: dict[str, str] = {}
    notes = []
    for file in files:
        entries, metadata = read_header(file)
        if MANIFEST_KEY in metadata:
            raise ConversionError("it has a manifest already", "Give it to htsr", file=file)
        names = {entry.name for entry in entries}
        ties |= {name: kept for name, kept in metadata.items() if kept in names - {name}}
        for entry in entries:
            if weight_map is None or weight_map.get(entry.name) == file.name:
                stored[entry.name] = file, entry
            else:
                notes.append(f"{file.name} holds {entry.name!r}, which is not in the index")
    for name, file_name in (weight_map or {}).items():
        if name not in stored:
            raise ConversionError(f"{file_name} does not hold it", AGAIN, name)
    ties = {name: kept for name, kept in ties.items() if name not in stored}
    if config.get("tie_word_embeddings") is True:
        ties |= dict(_equal_heads(stored))
    model = Model({name: entry.shape for name, (_, entry) in stored.items()}, config)
    everything = stored | {name: stored[kept] for name, kept in ties.items()}
    decided = {
        name: decide(name, entry.shape, entry.dtype, model)
        for name, (_, entry) in everything.items()
    }
    layouts = {name: layout(everything[name][1].shape, decided[name]) for name in everything}
    tensors = [
        Tensor(
            name,
            entry.shape,
            entry.dtype,
            partial(_read, file, entry),
            decided[name],
            kept if (kept := ties.get(name)) and layouts[kept] == layouts[name] else None,
        )
        for name, (file, entry) in everything.items()
    ]
    digested = files if index is None else [index, *files]
    return Source("huggingface", path.resolve().name, tensors, digested, {}, notes)


def _files(path: Path) -> tuple[list[Path], Path | None]:
    """Safetensors files, and the index that names them."""
    if path.is_file():
        if path.name.endswith(INDEX):
            return _indexed(path), path
        word, description = sniff(path)
        if word != "safetensors":
            raise refuse(path, word, description)
        return [path], None
    names = sorted(file.name for file in path.iterdir())
    indices = [name for name in names if name.endswith(INDEX)]
    files = [name for name in names if name.endswith(".safetensors")]
    if len(indices) == 1:
        return _indexed(path / indices[0]), path / indices[0]
    if len(files) == 1 and not indices:
        return [path / files[0]], None
    if indices or files:
        raise ConversionError("the folder holds several models", "Name one of its files")
    cure = "Give its .bin files to pytorch.py" if any(n.endswith(".bin") for n in names) else AGAIN
    raise ConversionError("the folder holds no safetensors file", cure)


def _indexed(index: Path) -> list[Path]:
    weight_map = _json(index).get("weight_map")
    names = list(weight_map.values()) if isinstance(weight_map, dict) else []
    if not names or not all(isinstance(name, str) for name in names):
        raise ConversionError("it has no weight_map from tensors to files", AGAIN, file=index)
    files = []
    for name in dict.fromkeys(names):
        if not _is_plain(name):
            raise ConversionError(f"{name!r} is no file of its folder", AGAIN, file=index)
        file = index.parent / name
        if not file.exists():
            raise ConversionError(f"the file {name} is missing", AGAIN, file=index)
        if not _is_inside(file):
            raise ConversionError(f"{name} is a link out of its folder", AGAIN, file=index)
        files.append(file)
    return files


def _is_plain(name: str) -> bool:
    return PurePosixPath(name).name == name != ".." and "\\" not in name and "\0" not in name


def _is_inside(file: Path) -> bool:
    """Whether a file is in its folder, or in the `blobs` of the same Hugging Face cache."""
    folder, target = file.parent.resolve(), file.resolve()
    allowed = [folder]
    if folder.parent.name == "snapshots":
        allowed.append(folder.parent.parent / "blobs")
    return any(target.is_relative_to(place) for place in allowed)


def _config(path: Path) -> Mapping[str, Any]:
    if not path.is_file() or not _is_inside(path):
        return {}
    config = _json(path)
    of_text = config.get("text_config")
    return config | of_text if isinstance(of_text, dict) else config


def _json(path: Path) -> dict[str, Any]:
    text = read_at_most(path, MAX_JSON + 1)
    value = loads(text, path.name)
    if len(text) > MAX_JSON or not isinstance(value, dict):
        raise ConversionError(f"{path.name} is too long, or no JSON object", AGAIN)
    return value


def _equal_heads(stored: Mapping[str, tuple[Path, Entry]]) -> Iterator[tuple[str, str]]:
    """Output layers that hold the embedding's numbers once more."""
    for head in stored.keys() & set(HEADS):
        for name in stored:
            if name.endswith(EMBEDDINGS) and _are_equal(stored[name], stored[head]):
                yield head, name
                break


def _are_equal(one: tuple[Path, Entry], other: tuple[Path, Entry]) -> bool:
    (_, first), (_, second) = one, other
    if (first.shape, first.dtype) != (second.shape, second.dtype) or first.dtype not in CODES:
        return False
    a, b = _read(*one).reshape(-1), _read(*other).reshape(-1)
    # NaN is equal to itself here: codes are compared.
    return all(
        a[start : start + BLOCK].tobytes() == b[start : start + BLOCK].tobytes()
        for start in range(0, a.size, BLOCK)
    )


def _read(path: Path, entry: Entry) -> NDArray[Any]:
    return map_array(path, entry.begin, CODES[entry.dtype][1], entry.shape)


if __name__ == "__main__":
    sys.exit(main(open_model, __doc__ or ""))
