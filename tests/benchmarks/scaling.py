"""How the time grows: with columns, layers, files, saved reports, jobs and Dask's workers.

Whole processes of `htsr analyze`, and of bare NumPy where a matrix is what takes the time. Jobs and
workers share 48 equal matrices; efficiency is what one job takes by the clock over N times what N
take. Dask's workers are started before the clock is.
"""

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from run import BARE, ONE_THREAD
from safetensors.numpy import save_file
from timing import apart, circumstances, process

import htsr_ref

ANALYZE = [sys.executable, "-m", "htsr_ref.cli.start", "analyze", "--json"]
RANK = [sys.executable, "-m", "htsr_ref.cli.start", "rank", "--all", "--json"]
DESCRIBE = [sys.executable, "-m", "htsr_ref.cli.start", "describe"]
EQUAL = 48


def written(folder: Path, shapes: list[tuple[int, int]]) -> Path:
    """Write matrices of independent normal numbers."""
    rng = np.random.default_rng(0)
    path = folder / "weights.safetensors"
    drawn: dict[tuple[int, int], np.ndarray] = {}
    arrays = {}
    for i, shape in enumerate(shapes):
        if shape not in drawn:
            drawn[shape] = rng.standard_normal(shape, dtype=np.float32)
        arrays[f"layer{i:05}.weight"] = drawn[shape] + np.float32(i % 7) / 1000
    save_file(arrays, path)
    return path


def columns(folder: Path) -> None:
    """One square matrix of each size."""
    print(f"{'columns':>8}{'htsr CPU s':>12}{'bare CPU s':>12}{'ratio':>8}{'peak MB':>9}")
    for size in (256, 512, 1024, 2048, 4096):
        path = apart(written, folder, [(size, size)])
        ours = process([*ANALYZE, str(path)], accepted=(0, 1), silent=True)
        bare = process([sys.executable, "-c", BARE, str(path)], ONE_THREAD)
        row = f"{size:>8}{ours.cpu:>12.2f}{bare.cpu:>12.2f}{ours.cpu / bare.cpu:>8.2f}"
        print(f"{row}{ours.peak_mb:>9.0f}", flush=True)


def layers(folder: Path) -> None:
    """Many matrices of 64²."""
    print(f"{'layers':>8}{'CPU s':>8}{'ms each':>9}{'peak MB':>9}{'KB each':>9}")
    least = process(
        [*ANALYZE, str(apart(written, folder, [(64, 64)]))], accepted=(0, 1), silent=True
    )
    for number in (100, 1000, 10_000, 30_000):
        path = apart(written, folder, [(64, 64)] * number)
        cost = process([*ANALYZE, str(path)], accepted=(0, 1), silent=True)
        each = 1e3 * (cost.cpu - least.cpu) / number
        kilobytes = 1e3 * (cost.peak_mb - least.peak_mb) / number
        print(
            f"{number:>8}{cost.cpu:>8.2f}{each:>9.2f}{cost.peak_mb:>9.0f}{kilobytes:>9.1f}",
            flush=True,
        )


def size(folder: Path) -> None:
    """One layer out of files of growing size, and their description."""
    print(f"{'MB':>8}{'describe CPU s':>16}{'one layer CPU s':>17}{'peak MB':>9}")
    for number in (1, 16, 64, 256):
        path = apart(written, folder, [(1024, 1024)] * number)
        described = process([*DESCRIBE, str(path)], silent=True)
        one = [*ANALYZE, str(path), "--include", "layer00000.weight", "--no-digest"]
        analyzed = process(one, accepted=(0, 1), silent=True)
        row = f"{path.stat().st_size / 1e6:>8.0f}{described.cpu:>16.2f}{analyzed.cpu:>17.2f}"
        print(f"{row}{analyzed.peak_mb:>9.0f}", flush=True)


def reports(folder: Path) -> None:
    """Saved reports of a model of 48 layers that are ranked, not told apart by their numbers."""
    print(f"{'reports':>8}{'CPU s':>8}{'ms each':>9}{'peak MB':>9}{'KB each':>9}")
    path = apart(written, folder, [(64, 64)] * EQUAL)
    text = apart(report_text, path)
    least = process([*RANK, str(path)], silent=True)
    for number in (100, 1000, 4000):
        saved = folder / str(number)
        saved.mkdir()
        for i in range(number):
            (saved / f"{i:06}.json").write_text(text, encoding="utf-8")
        cost = process([*RANK, *map(str, sorted(saved.iterdir()))], silent=True)
        each = 1e3 * (cost.cpu - least.cpu) / number
        kilobytes = 1e3 * (cost.peak_mb - least.peak_mb) / number
        row = f"{number:>8}{cost.cpu:>8.2f}{each:>9.2f}{cost.peak_mb:>9.0f}{kilobytes:>9.1f}"
        print(row, flush=True)


def report_text(path: Path) -> str:
    """Analyze weights; the report as JSON."""
    return htsr_ref.analyze(path, jobs=1).to_json()


def seconds(run: Callable[[], object]) -> float:
    """Time one call by the clock."""
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


def workers(folder: Path) -> None:
    """Jobs and workers of Dask on equal matrices, in turns."""
    from distributed import Client, LocalCluster

    path = apart(written, folder, [(1024, 1024)] * EQUAL)
    number = min(2, os.cpu_count() or 1)
    with (
        LocalCluster(n_workers=number, threads_per_worker=1, dashboard_address=None) as cluster,
        Client(cluster) as client,
    ):
        ways: dict[str, Callable[[], object]] = {
            "1 job": lambda: htsr_ref.analyze(path, jobs=1),
            f"{number} jobs": lambda: htsr_ref.analyze(path, jobs=number),
            f"{number} workers": lambda: htsr_ref.analyze(path, executor=client.get_executor()),
        }
        ways[f"{number} workers"]()
        turns = [{name: seconds(run) for name, run in ways.items()} for _ in range(3)]
    print(f"{EQUAL} matrices of 1024²\n{'':<12}{'s':>8}{'efficiency':>12}")
    for name in ways:
        ratios = sorted(turn["1 job"] / turn[name] for turn in turns)
        efficiency = ratios[1] / (1 if name == "1 job" else number)
        print(f"{name:<12}{sorted(t[name] for t in turns)[1]:>8.2f}{efficiency:>12.2f}", flush=True)


PARTS = {"columns": columns, "layers": layers, "size": size, "reports": reports, "workers": workers}


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", nargs="+", choices=PARTS, default=list(PARTS))
    arguments = parser.parse_args()
    print(circumstances())
    with tempfile.TemporaryDirectory() as folder:
        for name in arguments.only:
            print()
            PARTS[name](Path(folder))
    print(f"\nLoad: {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    main()
