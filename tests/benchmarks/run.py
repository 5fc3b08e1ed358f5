"""What a user waits for: whole processes of `htsr`, in turns with the bare linear algebra.

Every contestant is a process of its own: `htsr analyze`, NumPy alone (float64, WᵀW, eigvalsh, one
thread) and, in an interpreter that has it, WeightWatcher. They take turns (A B C A B C …); what
counts are medians of the ratios within a turn. Processor time (user and system) is what other
work on the machine disturbs least; wall-clock time is given beside it.
"""

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import numpy as np
from safetensors.numpy import save_file
from timing import Cost, apart, circumstances, process

ONE_THREAD = {"OPENBLAS_NUM_THREADS": "1"}
BARE = """
import sys
import numpy as np
from safetensors.numpy import load_file
for W in load_file(sys.argv[1]).values():
    matrices = [W] if W.ndim == 2 else [W[:, :, i, j] for i in range(W.shape[2])
                                        for j in range(W.shape[3])]
    for M in matrices:
        M = M.astype(np.float64)
        M = M if M.shape[0] >= M.shape[1] else M.T
        np.linalg.eigvalsh(M.T @ M)
"""
WEIGHTWATCHER = """
import sys
import torch
import weightwatcher
from safetensors.torch import load_file

class Model(torch.nn.Module):
    def __init__(self, weights):
        super().__init__()
        for name, W in weights.items():
            layer = (torch.nn.Linear(W.shape[1], W.shape[0], bias=False) if W.ndim == 2 else
                     torch.nn.Conv2d(W.shape[1], W.shape[0], tuple(W.shape[2:]), bias=False))
            layer.weight = torch.nn.Parameter(W)
            self.add_module(name.removesuffix(".weight").replace(".", "_"), layer)

weightwatcher.WeightWatcher(model=Model(load_file(sys.argv[1]))).analyze()
"""


def gaussian(*shapes: tuple[int, ...]) -> list[np.ndarray]:
    """Matrices of independent normal numbers."""
    rng = np.random.default_rng(0)
    return [rng.standard_normal(shape, dtype=np.float32) for shape in shapes]


def resnet50() -> list[tuple[int, ...]]:
    """Shapes of its weights."""
    shapes: list[tuple[int, ...]] = [(64, 3, 7, 7)]
    width = 64
    for inner, blocks in ((64, 3), (128, 4), (256, 6), (512, 3)):
        for block in range(blocks):
            shapes += [(inner, width, 1, 1), (inner, inner, 3, 3), (4 * inner, inner, 1, 1)]
            if block == 0:
                shapes.append((4 * inner, width, 1, 1))
            width = 4 * inner
    return [*shapes, (1000, 2048)]


WORK: dict[str, Callable[[], list[np.ndarray]]] = {
    "tiny": lambda: gaussian((64, 64)),
    "1 of 4096²": lambda: gaussian((4096, 4096)),
    "transformer, 24 matrices": lambda: gaussian(
        *[(768, 768)] * 12, *[(3072, 768)] * 6, *[(768, 3072)] * 6
    ),
    "ResNet-50": lambda: gaussian(*resnet50()),
    "1,000 of 64²": lambda: gaussian(*[(64, 64)] * 1000),
    "10,000 of 64²": lambda: gaussian(*[(64, 64)] * 10_000),
}


def write(name: str, path: Path) -> None:
    """Write the weights of a piece of work."""
    save_file({f"layer{i:05}.weight": W for i, W in enumerate(WORK[name]())}, path)


def contestants(path: Path, weightwatcher: str | None) -> dict[str, tuple[list[str], dict]]:
    """Commands, and what is changed in their environment, by name."""
    analyze = [sys.executable, "-m", "htsr_ref.cli.start", "analyze", str(path), "--json"]
    found = {
        "htsr": (analyze, {}),
        "htsr --jobs 1": ([*analyze, "--jobs", "1"], {}),
        "bare NumPy": ([sys.executable, "-c", BARE, str(path)], ONE_THREAD),
    }
    if weightwatcher is not None:
        found["WeightWatcher"] = ([weightwatcher, "-c", WEIGHTWATCHER, str(path)], {})
    return found


def compare(path: Path, turns: int, weightwatcher: str | None) -> dict[str, list[Cost]]:
    """Let all contestants take their turns."""
    commands = contestants(path, weightwatcher)
    found: dict[str, list[Cost]] = {name: [] for name in commands}
    for _ in range(turns):
        for name, (command, environment) in commands.items():
            found[name].append(process(command, environment, accepted=(0, 1), silent=True))
    return found


def ratio(of: list[Cost], to: list[Cost], what: str) -> float:
    """Median of the ratios within a turn."""
    return statistics.median(
        getattr(a, what) / getattr(b, what) for a, b in zip(of, to, strict=True)
    )


def spinners(count: int) -> list[subprocess.Popen]:
    """Processes that keep the cores busy."""
    return [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(count)]


def facts() -> dict[str, object]:
    """What the numbers depend on."""
    return {
        "circumstances": circumstances(),
        "platform": platform.platform(),
        "processor": platform.processor() or platform.machine(),
        "load": os.getloadavg(),
        "time": time.strftime("%Y-%m-%d"),
    }


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", nargs="+", choices=WORK, default=list(WORK))
    parser.add_argument("--repeat", type=int, default=3, help="turns of each")
    parser.add_argument("--busy", type=int, default=0, help="spinning processes beside them")
    parser.add_argument("--weightwatcher", metavar="PYTHON", help="an interpreter that has it")
    parser.add_argument("--json", type=Path, help="where the numbers are written")
    arguments = parser.parse_args()

    before = facts()
    print(before["circumstances"])
    print(
        f"Medians of {arguments.repeat} turns; {arguments.busy} spinning processes beside them.\n"
    )
    heads = ("CPU s", "wall s", "peak MB", "CPU/bare", "wall/bare")
    print(f"{'work':<26} {'contestant':<14}", *(f"{head:>9}" for head in heads))
    found: dict[str, dict[str, list[dict[str, float]]]] = {}
    beside = spinners(arguments.busy)
    try:
        with tempfile.TemporaryDirectory() as folder:
            for name in arguments.only:
                path = Path(folder) / "weights.safetensors"
                apart(write, name, path)
                times = compare(path, arguments.repeat, arguments.weightwatcher)
                found[name] = {who: [asdict(t) for t in list_] for who, list_ in times.items()}
                bare = times["bare NumPy"]
                for who, list_ in times.items():
                    numbers = [
                        *(
                            statistics.median(getattr(t, what) for t in list_)
                            for what in ("cpu", "wall", "peak_mb")
                        ),
                        *(ratio(list_, bare, what) for what in ("cpu", "wall")),
                    ]
                    print(f"{name:<26} {who:<14}", *(f"{n:9.2f}" for n in numbers), flush=True)
    finally:
        for spinner in beside:
            spinner.kill()
    after = facts()
    if arguments.json is not None:
        text = json.dumps({"before": before, "after": after, "turns": found}, indent=1)
        arguments.json.write_text(text + "\n", encoding="utf-8")
    print(f"\nLoad before and after: {before['load'][0]:.1f}, {after['load'][0]:.1f}")


if __name__ == "__main__":
    main()
