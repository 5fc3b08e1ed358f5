"""What decoding packed weights adds to the analysis of a layer.

Each layer is random and valid. Decoding is timed as the Gram solver does it, block by block, less
what reading the same layer as float32 takes; it is compared with the analysis of that float32
layer, in the same run. Memory is what NumPy holds at most while the blocks come and go.
"""

import argparse
import json
import sys
import tempfile
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from timing import circumstances

sys.path.insert(0, str(Path(__file__).parents[1]))

from packed_files import Entry, write_folder

from htsr_ref.analysis.matrix_analysis import analyze_matrix
from htsr_ref.conventions import SDM2020_TEXT
from htsr_ref.layers.matrices import BLOCK_ELEMENTS, WeightMatrix, weight_matrix
from htsr_ref.weights import open_weights

SIZES = ("2048x2048", "4096x4096", "2048x8192")
GOAL = 0.3
MODULE = "model.layers.0.mlp.up_proj"
HEADS = ("decode s", "of analysis", "peak MB", "blocks")
Made = tuple[dict[str, Entry], dict[str, Any]]

rng = np.random.default_rng(0)


def noise(dtype: str, *shape: int, mask: int = 0xFF) -> Entry:
    """Random bytes, some of whose bits are cleared."""
    width = {"I32": 4, "U32": 4}.get(dtype, 1)
    content = rng.integers(0, 256, (*shape, width), np.uint8) & np.uint8(mask)
    return Entry(dtype, shape, content.tobytes())


def scales(*shape: int, kind: type = np.float16) -> Entry:
    """Random positive scales."""
    return Entry.of(rng.uniform(0.5, 1.5, shape).astype(kind))


def configured(**config: Any) -> dict[str, Any]:
    """Settings with this quantization_config."""
    return {"quantization_config": config}


def gptq(bits: int, rows: int, columns: int) -> Made:
    """GPTQ in groups of 128 that are out of order."""
    order = rng.permutation(columns).astype(np.int32) // 128
    return {
        "qweight": noise("I32", columns * bits // 32, rows),
        "qzeros": noise("I32", columns // 128, rows * bits // 32, mask=0),
        "scales": scales(columns // 128, rows),
        "g_idx": Entry.of(order),
    }, configured(quant_method="gptq", bits=bits, group_size=128)


def awq(rows: int, columns: int) -> Made:
    """AWQ in groups of 128."""
    return {
        "qweight": noise("I32", columns, rows // 8),
        "qzeros": noise("I32", columns // 128, rows // 8),
        "scales": scales(columns // 128, rows),
    }, configured(quant_method="awq", bits=4, group_size=128)


def compressed(bits: int, rows: int, columns: int) -> Made:
    """Compressed-tensors with packed zeros, dense."""
    weights = {"num_bits": bits, "type": "int", "symmetric": False, "group_size": 128}
    return {
        "weight_packed": noise("I32", rows, columns * bits // 32),
        "weight_scale": scales(rows, columns // 128),
        "weight_zero_point": noise("I32", rows * bits // 32, columns // 128),
        "weight_shape": Entry.of(np.array([rows, columns])),
    }, configured(quant_method="compressed-tensors", config_groups={"0": {"weights": weights}})


def mlx(bits: int, rows: int, columns: int) -> Made:
    """MLX, affine, in groups of 64."""
    return {
        "weight": noise("U32", rows, columns * bits // 32),
        "scales": scales(rows, columns // 64),
        "biases": scales(rows, columns // 64),
    }, {"quantization": {"bits": bits, "group_size": 64}}


def mlx_floats(rows: int, columns: int) -> Made:
    """MLX, mode mxfp4."""
    return {
        "weight": noise("U32", rows, columns // 8),
        "scales": noise("U8", rows, columns // 32, mask=0x7F),
    }, {"quantization": {"bits": 4, "group_size": 32, "mode": "mxfp4"}}


def bitnet(rows: int, columns: int) -> Made:
    """Ternary codes, none of which is 3."""
    return {
        "weight": noise("U8", rows // 4, columns, mask=0b01010101),
        "weight_scale": scales(1, kind=np.float32),
    }, configured(quant_method="bitnet")


def bitsandbytes_int8(rows: int, columns: int) -> Made:
    """Eight bits with a scale a row."""
    return {"weight": noise("I8", rows, columns), "SCB": scales(rows, kind=np.float32)}, {}


def nf4(rows: int, columns: int) -> Made:
    """NF4 with nested scales."""
    blocks = rows * columns // 64
    state = {"shape": [rows, columns], "blocksize": 64, "dtype": "float32"}
    state |= {"nested_blocksize": 256, "nested_offset": 0.5, "nested_dtype": "float32"}
    text = json.dumps(state).encode()
    return {
        "weight": noise("U8", rows * columns // 2, 1),
        "weight.absmax": noise("U8", blocks),
        "weight.quant_map": Entry.of(np.linspace(-1, 1, 16, dtype=np.float32)),
        "weight.nested_absmax": scales(-(-blocks // 256), kind=np.float32),
        "weight.nested_quant_map": Entry.of(np.linspace(-1, 1, 256, dtype=np.float32)),
        "weight.quant_state.bitsandbytes__nf4": Entry("U8", (len(text),), text),
    }, {}


def float8_blocks(rows: int, columns: int) -> Made:
    """Float8 with a scale for every 128×128."""
    return {
        "weight": noise("F8_E4M3", rows, columns, mask=0xBF),
        "weight_scale_inv": scales(rows // 128, columns // 128, kind=np.float32),
    }, configured(quant_method="fp8", weight_block_size=[128, 128])


def int8_rows(rows: int, columns: int) -> Made:
    """Int8 with a scale a row."""
    return {"weight": noise("I8", rows, columns), "weight_scale": scales(rows, 1)}, {}


def mxfp4(rows: int, columns: int) -> Made:
    """MXFP4 of compressed-tensors."""
    return {
        "weight_packed": noise("U8", rows, columns // 2),
        "weight_scale": noise("U8", rows, columns // 32, mask=0x7F),
    }, configured(quant_method="compressed-tensors")


def nvfp4(rows: int, columns: int) -> Made:
    """NVFP4 of compressed-tensors."""
    return {
        "weight_packed": noise("U8", rows, columns // 2),
        "weight_scale": noise("F8_E4M3", rows, columns // 16, mask=0x3F),
        "weight_global_scale": scales(1, kind=np.float32),
    }, configured(quant_method="compressed-tensors")


SCHEMES: dict[str, Callable[[int, int], Made]] = {
    "GPTQ 4, order": lambda rows, columns: gptq(4, rows, columns),
    "GPTQ 3, order": lambda rows, columns: gptq(3, rows, columns),
    "AWQ": awq,
    "comp.-tensors 4": lambda rows, columns: compressed(4, rows, columns),
    "comp.-tensors 3": lambda rows, columns: compressed(3, rows, columns),
    "MLX 4": lambda rows, columns: mlx(4, rows, columns),
    "MLX 3": lambda rows, columns: mlx(3, rows, columns),
    "MLX mxfp4": mlx_floats,
    "BitNet": bitnet,
    "bitsandbytes 8": bitsandbytes_int8,
    "NF4, nested": nf4,
    "float8, blocks": float8_blocks,
    "int8, rows": int8_rows,
    "MXFP4": mxfp4,
    "NVFP4": nvfp4,
}


def stored(folder: Path, entries: dict[str, Entry], settings: dict[str, Any]) -> WeightMatrix:
    """Write a layer and open it."""
    for old in folder.iterdir():
        old.unlink()
    named = {f"{MODULE}.{rest}": entry for rest, entry in entries.items()}
    weights = open_weights(write_folder(folder, named, settings))
    (layer,) = (layer for layer in weights.layers if layer.left_out is None)
    return weight_matrix(layer.data)


def seconds_of(matrix: WeightMatrix) -> float:
    """Time that all blocks take."""
    start = time.perf_counter()
    for _ in matrix.blocks():
        pass
    return time.perf_counter() - start


def peak_of(matrix: WeightMatrix) -> float:
    """Megabytes that are held at most while the blocks are read."""
    tracemalloc.start()
    seconds_of(matrix)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak / 1e6


def compare(rows: int, columns: int, turns: int, folder: Path) -> None:
    """Print one row for each scheme."""
    plain = Entry.of(rng.standard_normal((rows, columns), dtype=np.float32))
    matrix = stored(folder, {"weight": plain}, {})
    analyses, reads = [], []
    for _ in range(turns):
        start = time.perf_counter()
        analyze_matrix(matrix, SDM2020_TEXT)
        analyses.append(time.perf_counter() - start)
        reads.append(seconds_of(matrix))
    analysis, read, peak = min(analyses), min(reads), peak_of(matrix)
    count = len(list(matrix.blocks()))
    print(f"\n{rows}x{columns}: {analysis:.2f} s as float32, {read:.3f} s of them reading")
    print(f"{'':16}", *(f"{head:>11}" for head in HEADS))
    print(f"{'float32':16} {read:11.3f} {'':11} {peak:11.1f} {count:11}", flush=True)
    for name, make in SCHEMES.items():
        packed = stored(folder, *make(rows, columns))
        seconds = min(seconds_of(packed) for _ in range(turns))
        share = (seconds - read) / analysis
        verdict = "met" if share <= GOAL else "missed"
        print(f"{name:16} {seconds:11.3f} {share:11.1%} {peak_of(packed):11.1f} {verdict:>11}")


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sizes", nargs="+", default=SIZES, metavar="ROWSxCOLUMNS")
    parser.add_argument("--repeat", type=int, default=3, help="turns; the fastest counts")
    arguments = parser.parse_args()

    print(circumstances())
    print(f"Goal: decoding adds at most {GOAL:.0%}. A block is {BLOCK_ELEMENTS * 8 / 1e6:.1f} MB.")
    with tempfile.TemporaryDirectory() as folder:
        for size in arguments.sizes:
            rows, columns = map(int, size.split("x"))
            compare(rows, columns, arguments.repeat, Path(folder))


if __name__ == "__main__":
    main()
