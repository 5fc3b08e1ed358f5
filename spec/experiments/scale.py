# /// script
# requires-python = ">=3.11"
# dependencies = ["numpy", "htsr-ref"]
# ///
"""What an analysis of large models, and of many small ones, would take on machines of three sizes.

`--measure` times single matrices on this machine, with one thread, and writes scale_rates.csv: a
square matrix and a taller one of each size give the rates of WᵀW and of the eigensolver apart. From
these rates, the shapes of published models and the cost model of the package (SPC-8) the table
scale.csv follows: the layers are given, the most work first, to whatever core is free and has the
memory (SCL-4, SCL-6).

    uv run scale.py --measure    # 40 seconds on a quiet machine
    uv run scale.py              # a second: the table from the rates that were measured
"""

import csv
import heapq
import os
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np

import htsr_ref

SEED = 20_261_127
SIZES = (64, 256, 512, 1024, 2048, 4096)
TALL = 3
"""Rows of the taller matrix of each size, in its columns."""

RATES = Path(__file__).with_name("scale_rates.csv")
OUTPUT = Path(__file__).with_suffix(".csv")

READING = 0.5e9
"""Bytes of a file a second that one core is taken to read and decode."""

START = 0.5
"""Seconds that a process takes to start."""

GB = 1e9


@dataclass(frozen=True)
class Machine:
    """Cores that share memory; `count` of such machines work side by side."""

    name: str
    cores: int
    memory: float
    count: int = 1


MACHINES = (
    Machine("laptop", 8, 16 * GB),
    Machine("server", 64, 256 * GB),
    Machine("100 workers", 8, 32 * GB, 100),
)


@dataclass(frozen=True)
class Decoder:
    """Sizes of a published transformer with gated feed-forward layers."""

    name: str
    blocks: int
    width: int
    keys: int
    hidden: int
    words: int

    def shapes(self) -> Iterator[tuple[str, tuple[int, int]]]:
        """Name every matrix as its file does, with its shape."""
        for i in range(self.blocks):
            block = f"model.layers.{i}"
            yield f"{block}.self_attn.q_proj.weight", (self.width, self.width)
            yield f"{block}.self_attn.k_proj.weight", (self.keys, self.width)
            yield f"{block}.self_attn.v_proj.weight", (self.keys, self.width)
            yield f"{block}.self_attn.o_proj.weight", (self.width, self.width)
            yield f"{block}.mlp.gate_proj.weight", (self.hidden, self.width)
            yield f"{block}.mlp.up_proj.weight", (self.hidden, self.width)
            yield f"{block}.mlp.down_proj.weight", (self.width, self.hidden)
        yield "model.embed_tokens.weight", (self.words, self.width)
        yield "lm_head.weight", (self.words, self.width)


MODELS = (
    Decoder("Llama 2 7B", 32, 4096, 4096, 11_008, 32_000),
    Decoder("Llama 2 70B", 80, 8192, 1024, 28_672, 32_000),
    Decoder("Llama 3.1 405B", 126, 16_384, 1024, 53_248, 128_256),
)
"""Sizes from the configurations that come with the weights."""

MANY = 100_000
"""Checkpoints of the small models below."""

SMALL = (
    ("perceptron, 3 of 64²", (((64, 64),) * 3)),
    ("transformer of 768, 12 blocks", ((768, 768), (768, 768), (768, 2304), (768, 3072)) * 12),
)
"""Small models with their matrices, N and M either way round."""


@dataclass(frozen=True)
class Work:
    """One matrix: seconds of one core, bytes of memory, bytes of its file."""

    seconds: float
    memory: float
    stored: float


def measure() -> list[tuple[int, float, float]]:
    """Time squares and taller matrices; seconds of processor time, the least of two."""
    rng = np.random.default_rng(SEED)
    rows = []
    for size in SIZES:
        times = []
        for height in (size, TALL * size):
            weights = {"fc.weight": rng.standard_normal((height, size), dtype=np.float32)}
            least = float("inf")
            for _ in range(2):
                start = time.process_time()
                htsr_ref.analyze(weights, jobs=1)
                least = min(least, time.process_time() - start)
            times.append(least)
        rows.append((size, *times))
        print(size, *(f"{seconds:.3f}" for seconds in times), file=sys.stderr)
    return rows


def seconds_of(N: int, M: int, rates: Sequence[tuple[int, float, float]]) -> float:
    """Estimate the seconds of an N×M matrix, N ≥ M, from those of the measured sizes.

    Between two sizes the seconds per operation are interpolated in log M; beyond the largest they
    stay what they are there.
    """
    sizes = np.log([size for size, _, _ in rates])
    gram = [max(tall - square, 0.0) / ((TALL - 1) * size**3) for size, square, tall in rates]
    rest = [
        (square - g * size**3) / size**3 for (size, square, _), g in zip(rates, gram, strict=True)
    ]
    per_product, per_solve = (np.interp(np.log(M), sizes, per) for per in (gram, rest))
    return float(per_product * N * M**2 + per_solve * M**3)


def works(model: Decoder, rates: Sequence[tuple[int, float, float]]) -> list[Work]:
    """List the matrices that the default convention analyzes, with what each takes."""
    zero = np.zeros(1, dtype=np.float16)
    arrays = {name: np.broadcast_to(zero, shape) for name, shape in model.shapes()}
    matrices = [m for layer in htsr_ref.describe(arrays).layers for m in layer.matrices]
    return [
        Work(seconds_of(m.N, m.M, rates) + 2 * m.N * m.M / READING, m.memory, 2 * m.N * m.M)
        for m in matrices
    ]


def wall(found: Sequence[Work], machine: Machine) -> float | None:
    """Seconds until all is done, or None if a matrix does not fit into a machine."""
    room = 0.8 * machine.memory
    largest = max(work.memory for work in found)
    if largest > room:
        return None
    at_once = min(machine.cores, int(room // largest)) * machine.count
    free = [0.0] * at_once
    for work in sorted(found, key=lambda work: -work.seconds):
        heapq.heappush(free, heapq.heappop(free) + work.seconds)
    return START + max(free)


def many_checkpoints(
    shapes: Sequence[tuple[int, int]], rates: Sequence[tuple[int, float, float]]
) -> Work:
    """Take one checkpoint as one piece of work, in a process that has started already."""
    seconds = sum(seconds_of(max(shape), min(shape), rates) for shape in shapes)
    stored = sum(4 * rows * columns for rows, columns in shapes)
    return Work(seconds + stored / READING, 16 * max(min(shape) for shape in shapes) ** 2, stored)


def table(rates: Sequence[tuple[int, float, float]]) -> Iterator[tuple[str, ...]]:
    """Lay out a row for each model and machine."""
    yield ("model", "matrices", "gigabytes", "core_hours", "longest_minutes", "memory_gigabytes",
           "machine", "hours")  # fmt: skip
    asked = [(model.name, works(model, rates)) for model in MODELS]
    asked += [
        (f"{MANY} × {name}", [many_checkpoints(shapes, rates)] * MANY) for name, shapes in SMALL
    ]
    for name, found in asked:
        facts = (
            str(len(found)),
            f"{sum(work.stored for work in found) / GB:.3g}",
            f"{sum(work.seconds for work in found) / 3600:.3g}",
            f"{max(work.seconds for work in found) / 60:.3g}",
            f"{max(work.memory for work in found) / GB:.3g}",
        )
        for machine in MACHINES:
            seconds = wall(found, machine)
            yield name, *facts, machine.name, "" if seconds is None else f"{seconds / 3600:.3g}"


def main() -> None:
    """Measure if that is asked for; write the table."""
    if "--measure" in sys.argv[1:]:
        with RATES.open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(("columns", "square_seconds", "tall_seconds"))
            writer.writerows((size, f"{a:.4g}", f"{b:.4g}") for size, a, b in measure())
    with RATES.open(encoding="utf-8") as file:
        rates = [
            (int(row["columns"]), float(row["square_seconds"]), float(row["tall_seconds"]))
            for row in csv.DictReader(file)
        ]
    with OUTPUT.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file, lineterminator="\n").writerows(table(rates))


if __name__ == "__main__":
    main()
