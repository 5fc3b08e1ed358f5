"""Golden vectors of chapter SPC: exact rational Gram matrices, eigenvalues at 50 digits."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

from common import Json, bound, case, decimal, require
from mpmath import mp, mpf

if TYPE_CHECKING:
    from collections.abc import Iterable

Matrix = list[list[float]]

KEYS = {
    "N": "MAT-1",
    "M": "MAT-1",
    "solver": "SPC-3",
    "eigenvalues": "SPC-1",
    "num_zero": "SPC-5",
    "rank": "SPC-6",
}
UNIT_ROUNDOFF = {"binary64": -53, "binary32": -24, "binary16": -11}  # SPC-6, powers of two


def exact_rank(matrix: list[list[Fraction]]) -> int:
    """Rank by elimination in rational arithmetic."""
    rows, rank = [row[:] for row in matrix], 0
    for column in range(len(rows[0])):
        pivot = next((i for i in range(rank, len(rows)) if rows[i][column]), None)
        if pivot is None:
            continue
        rows[rank], rows[pivot] = rows[pivot], rows[rank]
        for i in range(rank + 1, len(rows)):
            factor = rows[i][column] / rows[rank][column]
            rows[i] = [a - factor * b for a, b in zip(rows[i], rows[rank], strict=True)]
        rank += 1
    return rank


def eigenvalues_of(matrix: list[list[Fraction]], scale: Fraction) -> list[mpf]:
    """Eigenvalues of X = c WᵀW, ascending; those that are zero exactly are set to zero (SPC-1)."""
    columns = list(zip(*matrix, strict=True))
    gram = [
        [scale * sum(a * b for a, b in zip(p, q, strict=True)) for q in columns] for p in columns
    ]
    with mp.workdps(60):  # ten more, for eigenvalues far below the largest
        numbers = mp.matrix([[mpf(g.numerator) / mpf(g.denominator) for g in row] for row in gram])
        values = sorted(mp.eigsy(numbers, eigvals_only=True))
    zeros = len(columns) - exact_rank(matrix)
    return [mpf(0)] * zeros + values[zeros:]


def spectrum_case(
    name: str,
    requirements: str,
    matrix: Matrix,
    solver: str = "gram",
    normalization: str = "1/N",
    stored_type: str = "binary64",
) -> dict[str, Json]:
    """Make a case of a matrix with finite entries."""
    exact = [[Fraction(entry) for entry in row] for row in matrix]
    if len(exact) < len(exact[0]):  # MAT-1
        exact = [list(column) for column in zip(*exact, strict=True)]
    N, M = len(exact), len(exact[0])
    scale = Fraction(1, N) if normalization == "1/N" else Fraction(1)
    eigenvalues = eigenvalues_of(exact, scale)
    largest = eigenvalues[-1]

    used = solver if solver != "auto" else "svd" if stored_type == "binary64" else "gram"  # SPC-3
    epsilon = 8 * mp.sqrt(max(N, 64)) * 2 * mpf(2) ** -53  # SPC-4
    if used == "gram":
        errors = [epsilon * largest] * M
        threshold = epsilon * largest  # SPC-5
    else:
        errors = [
            2 * epsilon * mp.sqrt(value * largest) + epsilon**2 * largest for value in eigenvalues
        ]
        threshold = epsilon**2 * largest
    given = {
        "matrix": matrix,
        "stored_type": stored_type,
        "solver": solver,
        "normalization": normalization,
    }
    if outside_range(largest, threshold):
        return case(name, requirements, given, {"error": {"kind": "out-of-range"}})

    # SPC-6, in eigenvalues: σ > r‖W‖_F s becomes λ > (r s)² Σλ.
    spread = min(mpf(1), 1 / mp.sqrt(N) + 1 / mp.sqrt(M))
    storage = (mpf(2) ** UNIT_ROUNDOFF[stored_type] * spread) ** 2 * mp.fsum(eigenvalues)
    for value, error in zip(eigenvalues, errors, strict=True):
        for limit in (threshold, max(storage, threshold)):
            clear = abs(value - limit) > 2 * error or value <= limit / 100
            require(clear, f"{name}: an eigenvalue is too close to a threshold")
        require(value == 0 or value > largest * mpf(10) ** -34, f"{name}: too wide a range")

    zeros = sum(value <= threshold for value in eigenvalues)
    expected = {
        "N": N,
        "M": M,
        "solver": used,
        "eigenvalues": [decimal(value) for value in [mpf(0)] * zeros + eigenvalues[zeros:]],
        "num_zero": zeros,
        "rank": sum(value > max(storage, threshold) for value in eigenvalues),
    }
    bounds = bound("absolute", *[mpf(0)] * zeros, *errors[zeros:])
    return case(name, requirements, given, expected, {"eigenvalues": bounds})


def outside_range(largest: mpf, threshold: mpf) -> bool:
    """Tell whether the eigenvalues leave the range of binary64 (SPC-7)."""
    limits = (largest, mpf(2) ** 1024), (threshold, mpf(2) ** -1022)
    for value, limit in limits:
        require(not limit / 4 < value < 4 * limit, "eigenvalues at the edge of the range")
    return bool(largest > mpf(2) ** 1024 or 0 < threshold < mpf(2) ** -1022)


def bad_entry_case(name: str, matrix: list[list[float | str]], row: int, column: int) -> Json:
    """Make a case of a matrix whose first entry that is not finite is the one given."""
    given = {
        "matrix": matrix,
        "stored_type": "binary64",
        "solver": "auto",
        "normalization": "1/N",
    }
    expected = {"error": {"kind": "bad-entry", "index": [row, column]}}
    return case(f"spc/bad-entry/{name}", "SPC-7", given, expected)


def rounded(matrix: Iterable[Iterable[Fraction]], significand_bits: int) -> Matrix:
    """Round every entry to so many bits, half to even."""
    with mp.workprec(significand_bits):
        return [[float(mpf(x.numerator) / mpf(x.denominator)) for x in row] for row in matrix]


def scaled(matrix: Matrix, power: int) -> Matrix:
    """Multiply a matrix by a power of two."""
    return [[entry * 2.0**power for entry in row] for row in matrix]


def pair(small: float) -> Matrix:
    """Matrix with the singular values 1 and `small`."""
    return [[1.0, 0.0], [0.0, small]]


def cases() -> list[dict[str, Json]]:
    """Make all cases of the chapter."""
    identity = [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]
    symmetric = [[2.0, 1.0], [1.0, 2.0]]
    tall = [[1.0, 2.0, -1.0], [0.0, 3.0, 1.0], [2.0, -2.0, 4.0], [1.0, 1.0, 1.0], [-3.0, 0.0, 2.0]]
    wide = [list(column) for column in zip(*tall, strict=True)]
    square = [
        [4.0, 1.0, -2.0, 2.0],
        [1.0, 2.0, 0.0, 1.0],
        [-2.0, 0.0, 3.0, -2.0],
        [2.0, 1.0, -2.0, -1.0],
    ]
    larger = [
        [float((7 * i * i + 3 * i * j + 5 * j) % 19 - 9) for j in range(8)] for i in range(24)
    ]
    hadamard = [
        [1.0, 1.0, 1.0, 1.0],
        [1.0, -1.0, 1.0, -1.0],
        [1.0, 1.0, -1.0, -1.0],
        [1.0, -1.0, -1.0, 1.0],
    ]
    deficient = [[float(i + 1) * (j + 1) + (i % 2) * (j - 1) for j in range(4)] for i in range(5)]
    lauchli = [[1.0, 1.0], [2.0**-30, 0.0], [0.0, 2.0**-30]]
    graded = [[1.0, 0.0, 0.0], [0.0, 2.0**-10, 0.0], [0.0, 0.0, 2.0**-36]]
    zero = [[0.0, 0.0, 0.0]] * 4
    thirds = [[Fraction((i + 1) * (2 * j + 1), 3) for j in range(3)] for i in range(5)]

    both = [
        ("identity", "SPC-1 SPC-4 SPC-6", identity),
        ("tall", "SPC-1 SPC-4", tall),
        ("rank-deficient", "SPC-4 SPC-5 SPC-6", deficient),
        ("zero", "SPC-5 SPC-6", zero),
        ("below-gram-resolution-lauchli", "SPC-4 SPC-5 SPC-6", lauchli),
        ("below-gram-resolution-graded", "SPC-4 SPC-5 SPC-6", graded),
        ("scale-2^500", "SPC-2 SPC-4 SPC-5", scaled(tall, 500)),
        ("scale-2^-400", "SPC-2 SPC-4 SPC-5", scaled(tall, -400)),
        ("24x8", "SPC-1 SPC-4", larger),
    ]
    return [
        *(
            spectrum_case(f"spc/{name}/{solver}", requirements, matrix, solver)
            for name, requirements, matrix in both
            for solver in ("gram", "svd")
        ),
        spectrum_case("spc/identity/unscaled", "SPC-1", identity, normalization="none"),
        spectrum_case("spc/symmetric/unscaled", "SPC-1", symmetric, normalization="none"),
        spectrum_case("spc/symmetric", "SPC-1", symmetric),
        spectrum_case("spc/wide-as-stored", "SPC-1 MAT-1", wide),
        spectrum_case("spc/wide-as-stored/unscaled", "SPC-1 MAT-1", wide, "svd", "none"),
        spectrum_case("spc/square", "SPC-1", square),
        spectrum_case("spc/24x8/unscaled", "SPC-1", larger, normalization="none"),
        spectrum_case("spc/hadamard-all-equal", "SPC-1 SPC-4", hadamard),
        spectrum_case("spc/row", "SPC-1 MAT-1", [[3.0, 4.0, 12.0]]),
        spectrum_case("spc/column", "SPC-1", [[3.0], [4.0], [12.0]], "svd", "none"),
        spectrum_case("spc/1x1", "SPC-1", [[-3.0]]),
        spectrum_case("spc/above-threshold/gram", "SPC-5", pair(2.0**-22)),
        spectrum_case("spc/below-threshold/gram", "SPC-5", pair(2.0**-28)),
        spectrum_case("spc/above-threshold/svd", "SPC-5", pair(2.0**-43), "svd"),
        spectrum_case("spc/below-threshold/svd", "SPC-5", pair(2.0**-52), "svd"),
        spectrum_case("spc/auto/binary64", "SPC-3", tall, "auto"),
        spectrum_case("spc/auto/binary32", "SPC-3", tall, "auto", stored_type="binary32"),
        spectrum_case("spc/auto/binary16", "SPC-3", tall, "auto", stored_type="binary16"),
        spectrum_case(
            "spc/rank-one-stored/binary32",
            "SPC-6",
            rounded(thirds, 24),
            "svd",
            stored_type="binary32",
        ),
        spectrum_case(
            "spc/rank-one-stored/binary16",
            "SPC-6",
            rounded(thirds, 11),
            stored_type="binary16",
        ),
        spectrum_case(
            "spc/rank-one-stored-wider", "SPC-6", rounded(thirds, 11), stored_type="binary32"
        ),
        spectrum_case("spc/out-of-range/large", "SPC-7", scaled(tall, 600), "auto"),
        spectrum_case("spc/out-of-range/small", "SPC-7", scaled(tall, -600), "auto"),
        spectrum_case("spc/out-of-range/threshold/gram", "SPC-7", scaled(tall, -500)),
        spectrum_case("spc/out-of-range/threshold/svd", "SPC-7", scaled(tall, -470), "svd"),
        spectrum_case("spc/scale-2^-470/gram", "SPC-5 SPC-7", scaled(tall, -470)),
        bad_entry_case("nan", [[1.0, 2.0], [3.0, "NaN"], ["Infinity", 4.0]], 1, 1),
        bad_entry_case("infinity", [[1.0, 2.0], [3.0, 4.0], ["-Infinity", "NaN"]], 2, 0),
        bad_entry_case("wide", [[1.0, 2.0, "NaN"], ["Infinity", 3.0, 4.0]], 0, 2),
    ]
