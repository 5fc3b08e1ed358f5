"""Files of packed layers for tests: fixtures, byte by byte, in folders with their configs."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np

PACKED = Path(__file__).parent / "weights" / "packed"
READ = sorted(
    path
    for folder in ("fixtures", "scaled")
    for path in (PACKED / folder).glob("*.safetensors")
    if not path.stem.startswith("refused")
)
REFUSED = sorted((PACKED / "scaled").glob("refused*.safetensors"))
TRUTHS = {
    "F32": np.dtype(np.float32),
    "F16": np.dtype(np.float16),
    "BF16": np.dtype(ml_dtypes.bfloat16),
}


@dataclass
class Entry:
    """A tensor of a safetensors file: the header's name of its type, its shape and its bytes."""

    dtype: str
    shape: tuple[int, ...]
    content: bytes

    @classmethod
    def of(cls, array: np.ndarray) -> "Entry":
        """Entry of an array of a plain type."""
        dtype = {"float64": "F64", "float32": "F32", "float16": "F16", "int8": "I8"}
        dtype |= {"uint8": "U8", "int32": "I32", "int64": "I64", "uint32": "U32"}
        return cls(dtype[array.dtype.name], array.shape, array.tobytes())

    def array(self, kind: str) -> np.ndarray:
        """Writable array of the bytes, as numbers of this NumPy type."""
        return np.frombuffer(bytearray(self.content), kind).reshape(self.shape)


@dataclass
class PackedFile:
    """A packed module as its library wrote it.

    `entries` by the rest of their names; `settings` as `PackedModule` has them; `truth`, the
    library's matrix.
    """

    entries: dict[str, Entry]
    settings: dict[str, Any]
    truth: np.ndarray


def entries_of(path: Path) -> tuple[dict[str, Entry], dict[str, str]]:
    """Tensors and metadata of a safetensors file, read with nothing but the json module."""
    content = path.read_bytes()
    start = 8 + int.from_bytes(content[:8], "little")
    header = json.loads(content[8:start])
    metadata = header.pop("__metadata__", {})
    entries = {}
    for name, entry in header.items():
        begin, end = entry["data_offsets"]
        entries[name] = Entry(
            entry["dtype"], tuple(entry["shape"]), content[start + begin : start + end]
        )
    return entries, metadata


def packed_file(path: Path) -> PackedFile:
    """Read a fixture of a packed module."""
    named, metadata = entries_of(path)
    entries = {name.partition(".")[2] or name: entry for name, entry in named.items()}
    settings = json.loads(metadata["settings"])
    truth = entries.pop("expected" if "expected" in entries else "library")
    values = truth.array(TRUTHS[truth.dtype]).astype(np.float64)
    return PackedFile(entries, settings, values)


def safetensors_of(entries: Mapping[str, Entry], metadata: Mapping[str, str]) -> bytes:
    """Bytes of a file with these tensors."""
    header: dict[str, Any] = {"__metadata__": dict(metadata)} if metadata else {}
    end = 0
    for name, entry in entries.items():
        begin, end = end, end + len(entry.content)
        header[name] = {"dtype": entry.dtype, "shape": entry.shape, "data_offsets": [begin, end]}
    text = json.dumps(header).encode()
    data = b"".join(entry.content for entry in entries.values())
    return len(text).to_bytes(8, "little") + text + data


def write_folder(folder: Path, entries: Mapping[str, Entry], settings: Mapping[str, Any]) -> Path:
    """Write a model's folder: the weights, and the JSON files that the settings come from."""
    (folder / "model.safetensors").write_bytes(
        safetensors_of(entries, settings.get("metadata", {}))
    )
    config = {key: value for key, value in settings.items() if key.startswith("quantization")}
    if config:
        (folder / "config.json").write_text(json.dumps(config))
    if "hf_quant_config" in settings:
        (folder / "hf_quant_config.json").write_text(json.dumps(settings["hf_quant_config"]))
    return folder


def in_model(packed: PackedFile, module: str) -> dict[str, Entry]:
    """The entries under the names that they have in a model."""
    return {f"{module}.{rest}": entry for rest, entry in packed.entries.items()}
