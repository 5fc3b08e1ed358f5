"""Peak memory of the command line on large files.

Every case runs `htsr` in a process of its own, whose peak resident set the system reports when it
ends.
"""

import argparse
import json
import math
import resource
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import BinaryIO

import numpy as np
from timing import circumstances, process

CASES = ("one", "all", "tall", "describe")
GOALS_MB = {"one": 450}
LAYERS = {f"layer{i:02}.weight": (4096, 4096) for i in range(16)}
ONLY_THE_FIRST = {"*": {"skip": "not asked for"}, "layer00.weight": {"role": "weight"}}


def write_header(file: BinaryIO, shapes: Mapping[str, tuple[int, int]]) -> int:
    """Write the header of a safetensors file of float32 matrices; return the bytes to follow."""
    header, end = {}, 0
    for name, shape in shapes.items():
        begin, end = end, end + 4 * math.prod(shape)
        header[name] = {"dtype": "F32", "shape": shape, "data_offsets": [begin, end]}
    text = json.dumps(header).encode()
    file.write(len(text).to_bytes(8, "little") + text)
    return end


def write_random(path: Path, shapes: Mapping[str, tuple[int, int]]) -> None:
    """Write a file of Gaussian matrices, a few megabytes at a time."""
    rng = np.random.default_rng(0)
    with path.open("wb") as file:
        size = write_header(file, shapes) // 4
        for start in range(0, size, 2**20):
            file.write(rng.standard_normal(min(2**20, size - start), dtype=np.float32).data)


def write_sparse(path: Path, shapes: Mapping[str, tuple[int, int]]) -> None:
    """Write a file of zeros that takes no room on the disk."""
    with path.open("wb") as file:
        size = write_header(file, shapes)
        file.truncate(file.tell() + size)


def run(arguments: Sequence[object]) -> tuple[float, float]:
    """Seconds and peak megabytes of one `htsr` command."""
    cost = process([sys.executable, "-m", "htsr_ref.cli.start", *map(str, arguments)])
    return cost.wall, cost.peak_mb


def measure(case: str, folder: Path) -> tuple[str, float, float]:
    """What a case is, its seconds and its peak megabytes."""
    path = folder / "weights.safetensors"
    try:
        match case:
            case "one":
                write_random(path, LAYERS)
                choice = folder / "layers.json"
                choice.write_text(json.dumps(ONLY_THE_FIRST), encoding="utf-8")
                return "1 GB, 1 of 16 layers 4096²", *run(["analyze", path, "--layers", choice])
            case "all":
                write_random(path, LAYERS)
                return "1 GB, 16 layers 4096²", *run(["analyze", path])
            case "tall":
                write_random(path, {"tall.weight": (10**6, 512)})
                return "2 GB, 1 layer 1000000×512", *run(["analyze", path])
            case _:
                write_sparse(path, {f"layer{i:03}.weight": (4096, 4096) for i in range(300)})
                return "20 GB, 300 layers 4096²", *run(["describe", path])
    finally:
        path.unlink(missing_ok=True)


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cases", nargs="+", choices=CASES, default=CASES)
    parser.add_argument("--folder", type=Path, help="where the files are put for a while (2 GB)")
    arguments = parser.parse_args()

    print(circumstances())
    print(f"{'case':>10}  {'file':<28} {'seconds':>8} {'peak MB':>8} {'goal':>6}")
    with tempfile.TemporaryDirectory(dir=arguments.folder) as folder:
        for case in arguments.cases:
            what, seconds, peak = measure(case, Path(folder))
            goal = GOALS_MB.get(case)
            verdict = "" if goal is None else f"{goal:6} {'met' if peak <= goal else 'missed'}"
            print(f"{case:>10}  {what:<28} {seconds:8.1f} {peak:8.0f} {verdict}", flush=True)
    floor = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6
    print(
        f"A process inherits the peak of its parent, so that less than {floor:.0f} MB is not seen."
    )


if __name__ == "__main__":
    main()
