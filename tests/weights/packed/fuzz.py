"""Damage packed files at random; open, decode and analyze them; count what comes of it.

Run by hand: `python tests/weights/packed/fuzz.py COUNT SEED`. Anything but an error of ours, a
layer that is skipped with a reason, or numbers of the layer's shape is a failure: it is printed
with its number, which repeats it (`COUNT` 1, `SEED` the number), and the exit code is 1.
"""

import dataclasses
import json
import resource
import sys
import tempfile
import traceback
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[2]))

from cpu import TooLong, cpu_limit
from packed_files import READ, REFUSED, Entry, PackedFile, packed_file, safetensors_of

from htsr_ref.analysis.bad_entries import describe_bad_entry
from htsr_ref.errors import HtsrError, LayerError
from htsr_ref.weights import open_weights

MEMORY = 2 * 2**30
"""Bytes of address space that a process may take."""
SECONDS = 20
"""Of processor time, after which a case counts as hanging."""
LARGEST = 2**22
"""Numbers of a layer that are decoded; a small file can describe larger ones."""
MODULE = "model.layers.0.mlp.up_proj"
SOURCES = (*READ, *REFUSED)
DTYPES = ("F64", "F32", "F16", "BF16", "F8_E4M3", "F8_E5M2", "F8_E8M0", "I64", "I32", "I16")
DTYPES += ("I8", "U8", "U16", "U32", "U64", "BOOL", "F4", "F6_E2M3")
BITS = {"F64": 64, "I64": 64, "U64": 64, "F32": 32, "I32": 32, "U32": 32, "F4": 4, "F6_E2M3": 6}
BITS |= {"F16": 16, "BF16": 16, "I16": 16, "U16": 16}
NAMES = ("weight", "weight_packed", "weight_scale", "weight_scale_inv", "weight_scale_2", "scale")
NAMES += ("weight_global_scale", "weight_zero_point", "weight_shape", "weight_g_idx", "qweight")
NAMES += ("qzeros", "scales", "biases", "g_idx", "SCB", "weight.absmax", "weight.quant_map", "bias")
NAMES += ("weight.nested_absmax", "weight.nested_quant_map", "down_proj_blocks", "comfy_quant", "")
NAMES += ("weight.quant_state.bitsandbytes__nf4", "weight.quant_state.bitsandbytes__int3", "B")
VALUES: tuple[Any, ...] = (None, 0, -1, 1, 2, 3, 4, 5, 7, 8, 16, 32, 64, 128, 2**31, 2**70, 1.5)
VALUES += (True, False, "", "4", "gptq", "awq", "fp8", "mlx", "mxfp4", "int8", "gptq_v2", "bitnet")
VALUES += ("16x16", [], [0, 0], [16, 16], [1, 2**40], [1.5, "a"], {}, {"weights": {"num_bits": 3}})
VALUES += ("x" * 5000, float("inf"), float("nan"))
Same = Callable[..., bool]


def damage(source: PackedFile, rng: np.random.Generator) -> tuple[bytes, dict[str, bytes]]:
    """Bytes of a damaged weight file, and of the JSON files beside it."""
    entries = dict(source.entries)
    settings = json.loads(json.dumps(source.settings))
    for _ in range(rng.integers(1, 4)):
        damage_entry(entries, NAMES, rng)
        if rng.random() < 0.3:
            _damage_settings(settings, rng)
    names = {rest: f"{MODULE}.{rest}" if rng.random() > 0.01 else rest for rest in entries}
    content = bytearray(safetensors_of({names[rest]: entry for rest, entry in entries.items()}, {}))
    if rng.random() < 0.05:
        for at in rng.integers(0, len(content), rng.integers(1, 9)):
            content[at] = rng.integers(0, 256)
    files = {}
    config = {key: value for key, value in settings.items() if key.startswith("quantization")}
    if config:
        files["config.json"] = json.dumps(config).encode()
    if "hf_quant_config" in settings:
        files["hf_quant_config.json"] = json.dumps(settings["hf_quant_config"]).encode()
    return bytes(content), files


def damage_entry(
    entries: dict[str, Entry], names: tuple[str, ...], rng: np.random.Generator
) -> None:
    """Change one tensor: its bytes, shape, type or name."""
    if not entries:
        return
    rest = str(rng.choice(sorted(entries)))
    entry = entries[rest]
    match rng.integers(9):
        case 0 | 1:  # some bytes
            content = bytearray(entry.content)
            for at in rng.integers(0, max(len(content), 1), rng.integers(1, 9)):
                content[at : at + 1] = bytes([rng.choice([0, 127, 128, 255, rng.integers(256)])])
            content = content[: len(entry.content)]
            entries[rest] = dataclasses.replace(entry, content=bytes(content))
        case 2:  # all bytes
            entries[rest] = dataclasses.replace(entry, content=rng.bytes(len(entry.content)))
        case 3:  # another shape, with bytes to fill it
            shape = tuple(int(n) for n in rng.choice([0, 1, 2, 3, 16, 31, 33, 96], rng.integers(5)))
            if rng.random() < 0.5 and entry.shape:
                shape = _nearly(entry.shape, rng)
            entries[rest] = _filled(entry.dtype, shape, entry.content, rng)
        case 4:  # another type
            entries[rest] = _filled(str(rng.choice(DTYPES)), entry.shape, entry.content, rng)
        case 5:  # the same bytes as another type or shape
            size = len(entry.content)
            kind = str(rng.choice(["U8", "I8", "BOOL", "F8_E4M3", "F8_E8M0"]))
            entries[rest] = Entry(kind, (size // 8, 8) if size % 8 == 0 else (size,), entry.content)
        case 6:  # left out
            del entries[rest]
        case 7:  # another name
            entries[str(rng.choice(names))] = entries.pop(rest)
        case _:  # one more
            shape = tuple(int(n) for n in rng.choice([0, 1, 3, 16, 32], rng.integers(4)))
            entries[str(rng.choice(names))] = _filled(str(rng.choice(DTYPES)), shape, b"", rng)


def _nearly(shape: tuple[int, ...], rng: np.random.Generator) -> tuple[int, ...]:
    """A shape that differs a little."""
    changed = list(shape)
    axis = rng.integers(len(changed))
    match rng.integers(4):
        case 0:
            changed[axis] = max(changed[axis] + int(rng.integers(-1, 2)), 0)
        case 1:
            del changed[axis]
        case 2:
            changed.insert(axis, int(rng.integers(0, 3)))
        case _:
            changed.reverse()
    return tuple(changed)


def _filled(dtype: str, shape: tuple[int, ...], content: bytes, rng: np.random.Generator) -> Entry:
    """A tensor of this type and shape, with what there is and noise after it."""
    size = -(-int(np.prod(shape, dtype=np.int64)) * BITS.get(dtype, 8) // 8)
    return Entry(dtype, shape, (content + rng.bytes(max(size - len(content), 0)))[:size])


def _damage_settings(settings: dict[str, Any], rng: np.random.Generator) -> None:
    """Change, add or take away one value, at any depth."""
    place: Any = settings
    while isinstance(place, dict) and place and rng.random() < 0.8:
        key = str(rng.choice(sorted(place)))
        if not isinstance(place[key], dict):
            break
        place = place[key]
    keys = [*sorted(place), "bits", "group_size", "quant_method", "weight_block_size", "mode"]
    keys += ["quantization_config", "quantization", "hf_quant_config", "packing_format", MODULE]
    key = str(rng.choice(keys))
    if rng.random() < 0.2:
        place.pop(key, None)
    else:
        place[key] = VALUES[rng.integers(len(VALUES))]


def outcome(folder: Path, are_same: Same = np.array_equal) -> str:
    """Open and decode what lies in a folder; say what came of it.

    Raises whatever is not allowed to come of it, a part that is not the same as that of the whole
    for one.
    """
    try:
        weights = open_weights(folder)
    except HtsrError as error:
        if "\n" in str(error):
            raise ValueError("a message of several lines") from error
        return f"refused: {type(error).__name__}"
    kinds = []
    for layer in weights.layers:
        if layer.left_out is not None:
            kinds.append(layer.code)
        elif np.prod(layer.shape, dtype=np.int64) > LARGEST:
            kinds.append("large")
        else:
            kinds.append(_decoded(layer, are_same))
    for kind in ("read", "bad-data", "large", "not-understood", "left-out"):
        if kind in kinds:
            return kind
    return "nothing"


def _decoded(layer: Any, are_same: Same) -> str:
    try:
        values = layer.data[...]
        row = layer.data[..., -1:, :] if len(layer.shape) > 1 else None
    except LayerError as error:
        if "\n" in str(error) or "tensor '" not in str(error):
            raise ValueError(f"a message without the tensor: {error}") from error
        return "bad-data"
    if values.shape != layer.shape or values.dtype != np.float64:
        raise ValueError(f"{values.shape} {values.dtype} for {layer.shape}")
    if row is not None and not are_same(row, values[..., -1:, :], equal_nan=True):
        raise ValueError("a part is not that part of the whole")
    return "read" if describe_bad_entry(layer) is None else "bad-data"


def run(number: int, folder: Path) -> str:
    """Run the case of this number."""
    rng = np.random.default_rng(number)
    path = SOURCES[rng.integers(len(SOURCES))]
    content, files = damage(packed_file(path), rng)
    for old in folder.iterdir():
        old.unlink()
    (folder / "model.safetensors").write_bytes(content)
    for name, text in files.items():
        (folder / name).write_bytes(text)
    return outcome(folder)


def main(run: Callable[[int, Path], str]) -> int:
    """Run COUNT cases whose numbers begin at SEED."""
    count, seed = int(sys.argv[1]), int(sys.argv[2])
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    counts: Counter[str] = Counter()
    np.seterr(all="raise", under="ignore")
    with tempfile.TemporaryDirectory() as folder:
        for number in range(seed, seed + count):
            try:
                with cpu_limit(SECONDS):
                    counts[run(number, Path(folder))] += 1
            except (Exception, TooLong):
                counts["FAILURE"] += 1
                print(f"case {number}:", traceback.format_exc(limit=-3), flush=True)
    for kind, times in counts.most_common():
        print(f"{times:8} {kind}")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"peak {peak:.0f} MB; numbers {seed} to {seed + count - 1}")
    return min(counts["FAILURE"], 1)


if __name__ == "__main__":
    sys.exit(main(run))
