"""How much htsr_ref adds to the bare linear algebra it rests on.

In one run, in turns: the eigenvalues of WᵀW by nothing but NumPy, `spectrum` (the same with checks,
error bounds and blocks), and `analyze_matrix` (spectrum, power-law fit and metrics).
"""

import argparse

import numpy as np
from timing import circumstances, interleaved

from htsr_ref.analysis.matrix_analysis import analyze_matrix
from htsr_ref.conventions import SDM2020_TEXT
from htsr_ref.layers.matrices import matrix_from_array
from htsr_ref.spectra.eigenvalues import spectrum

SIZES = ("512x512", "2048x2048", "4096x1024", "4096x4096")
GOAL = 1.3
HEADS = ("bare s", "spectrum s", "total s", "spectrum/bare", "total/bare")


def compare(N: int, M: int, turns: int) -> None:
    """Print one row for a Gaussian float32 matrix."""
    W = np.random.default_rng(0).standard_normal((N, M), dtype=np.float32)
    matrix = matrix_from_array(W)

    def bare() -> None:
        wide = W.astype(np.float64)
        np.linalg.eigvalsh(wide.T @ wide)

    times = interleaved(
        {
            "bare": bare,
            "spectrum": lambda: spectrum(W),
            "total": lambda: analyze_matrix(matrix, SDM2020_TEXT),
        },
        turns,
    )
    total = times["total"].over(times["bare"])
    numbers = [*(t.median for t in times.values()), times["spectrum"].over(times["bare"]), total]
    print(f"{f'{N}x{M}':>10}", *(f"{number:13.4f}" for number in numbers), end="  ")
    print("met" if total <= GOAL else "missed", flush=True)


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sizes", nargs="+", default=SIZES, metavar="NxM")
    parser.add_argument("--repeat", type=int, default=5, help="turns of each size")
    arguments = parser.parse_args()

    print(circumstances())
    print(f"Medians of {arguments.repeat} turns. Goal: total / bare at most {GOAL}.\n")
    print(f"{'size':>10}", *(f"{head:>13}" for head in HEADS))
    analyze_matrix(matrix_from_array(np.eye(64)), SDM2020_TEXT)  # imports, and wakes BLAS
    for size in arguments.sizes:
        N, M = map(int, size.split("x"))
        compare(N, M, arguments.repeat)


if __name__ == "__main__":
    main()
