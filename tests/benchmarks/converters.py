"""Converting a PyTorch file against copying it, and the peak memory of that.

Every turn copies with `cp`, takes the SHA-256 that a manifest states, and converts with
`converters/pytorch.py`, in processes of their own and in the same folder; the ratios are medians of
those within a turn. Each is run twice and timed the second time: how long the first takes to write
depends on how the one before left the system's free memory. The file is read from the disk (cold),
or has just been read (warm). The goals: 2 times `cp`, and a peak of the largest tensor and 200 MB.
"""

import argparse
import json
import os
import shutil
import statistics
import sys
import tempfile
import time
import zipfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from timing import circumstances

CONVERTER = Path(__file__).parents[2] / "converters" / "pytorch.py"
DIGEST = "import hashlib, sys; hashlib.file_digest(open(sys.argv[1], 'rb'), 'sha256')"
"""What Python needs for the SHA-256 of a file alone."""
RATIO_GOAL, SPARE_MB_GOAL = 2.0, 200.0


def pickled(shapes: dict[str, tuple[int, int]], transposed: bool) -> bytes:
    """What torch.save makes of a dictionary of float32 matrices, in its own instructions."""

    def text(value: str) -> bytes:
        return b"X" + len(value).to_bytes(4, "little") + value.encode()

    def number(value: int) -> bytes:
        return b"J" + value.to_bytes(4, "little")

    items = b""
    for key, (name, (rows, columns)) in enumerate(shapes.items()):
        storage = text("storage") + b"ctorch\nFloatStorage\n" + text(str(key)) + text("cpu")
        steps = (1, rows) if transposed else (columns, 1)
        view = number(0) + number(rows) + number(columns) + b"\x86"
        view += number(steps[0]) + number(steps[1]) + b"\x86\x89}"
        call = b"(" + b"(" + storage + number(rows * columns) + b"tQ" + view + b"tR"
        items += text(name) + b"ctorch._utils\n_rebuild_tensor_v2\n" + call
    return b"\x80\x02}(" + items + b"u."


def write_checkpoint(path: Path, megabytes: int, transposed: bool) -> int:
    """Write a checkpoint of Gaussian matrices of 64 MB; return the size of one."""
    rng = np.random.default_rng(0)
    shapes = {f"layer{at}.weight": (4096, 4096) for at in range(max(megabytes // 64, 1))}
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("model/data.pkl", pickled(shapes, transposed))
        for key in range(len(shapes)):
            with archive.open(f"model/data/{key}", "w") as member:
                for _ in range(16):
                    member.write(rng.standard_normal(2**20, dtype=np.float32).data)
        archive.writestr("model/version", "3\n")
    return 4 * 4096**2


def run(command: Sequence[object]) -> tuple[float, float]:
    """Seconds and peak megabytes of a process."""
    arguments = [os.fspath(argument) for argument in command]
    start = time.perf_counter()
    process = os.posix_spawnp(arguments[0], arguments, os.environ)
    _, status, usage = os.wait4(process, 0)
    seconds = time.perf_counter() - start
    if status:
        raise SystemExit(f"{arguments[0]} failed")
    return seconds, usage.ru_maxrss / 1024


def evict(path: Path) -> None:
    """Make the next one who reads a file read it from the disk."""
    with path.open("rb") as file:
        os.fsync(file.fileno())
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def compare(source: Path, turns: int, *, is_cold: bool) -> dict[str, object]:
    """Copy and convert in turn."""
    copy, output = source.with_name("copy"), source.with_name("model.safetensors")
    copying, converting, digesting, peaks = [], [], [], []
    for _ in range(turns):
        for command, seconds, made in (
            (["cp", source, copy], copying, copy),
            ([sys.executable, "-c", DIGEST, source], digesting, None),
            ([sys.executable, CONVERTER, source, "-o", output], converting, output),
        ):
            for _ in range(2):
                if is_cold:
                    evict(source)
                took, peak = run(command)
                if made is not None:
                    made.unlink()
            seconds.append(took)
            peaks.append(peak)
    return {
        "cp_seconds": copying,
        "digest_seconds": digesting,
        "converter_seconds": converting,
        "ratio": median_ratio(converting, copying),
        "digest_ratio": median_ratio(digesting, copying),
        "peak_mb": max(peaks),
    }


def median_ratio(ours: Sequence[float], theirs: Sequence[float]) -> float:
    """Median of the ratios within a turn."""
    return statistics.median(our / their for our, their in zip(ours, theirs, strict=True))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--megabytes", type=int, default=1024)
    parser.add_argument("--turns", type=int, default=5)
    parser.add_argument("--folder", type=Path, help="where to write (default: a temporary folder)")
    parser.add_argument("--transposed", action="store_true", help="strided tensors")
    arguments = parser.parse_args()
    folder = Path(tempfile.mkdtemp(dir=arguments.folder))
    try:
        source = folder / "model.pt"
        largest = write_checkpoint(source, arguments.megabytes, arguments.transposed) / 2**20
        results = {
            state: compare(source, arguments.turns, is_cold=state == "cold")
            for state in ("cold", "warm")
        }
    finally:
        shutil.rmtree(folder)
    goals = {"ratio_goal": RATIO_GOAL, "peak_mb_goal": largest + SPARE_MB_GOAL}
    facts = {"circumstances": circumstances(), "megabytes": arguments.megabytes}
    print(json.dumps(facts | results | goals, indent=1))


if __name__ == "__main__":
    main()
