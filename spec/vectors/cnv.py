"""Golden vectors of chapter CNV: the choices of other conventions than `sdm2020-text`."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

from common import Json, bound, case, decimal, require
from dst import cut_off
from laws import most_likely, standard_errors, survival
from mpmath import mp, mpf
from pl import lognormal, pareto

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

KEYS = {
    "N": "MAT-9",
    "M": "MAT-9",
    "eigenvalues": "SPC-12",
    "alpha": "CNV-5",
    "alpha_stderr": "CNV-5",
    "xmin": "CNV-6",
    "tail_size": "CNV-6",
    "ks_distance": "CNV-7",
    "rank": "MET-15",
    "entropy": "MET-15",
    "erg_tail_size": "MET-16",
    "delta_lambda_min": "MET-17",
}
APART = mpf("1e-9")
"""No comparison that decides a case is closer than this."""

Matrix = list[list[mpf]]
Tensor = list[list[list[list[float]]]]  # out, in, k1, k2


# Spectra


def squared_singular_values(matrix: Matrix) -> list[mpf]:
    """Eigenvalues of the smaller of A·Aᴴ and Aᴴ·A, ascending."""
    tall = len(matrix) >= len(matrix[0])
    rows = [list(column) for column in zip(*matrix, strict=True)] if tall else matrix
    gram = [
        [mp.fsum(a * mp.conj(b) for a, b in zip(p, q, strict=True)) for q in rows] for p in rows
    ]
    return sorted(mp.re(value) for value in mp.eighe(mp.matrix(gram), eigvals_only=True))


def cut(tensor: Tensor, p: tuple[int, int], rows: range, columns: range) -> Matrix:
    """Part of the slice at one kernel position."""
    return [[mpf(tensor[o][i][p[0]][p[1]]) for i in columns] for o in rows]


def operator(tensor: Tensor, size: int) -> list[Matrix]:
    """MAT-12: the kernel's transform at every frequency of the plane, conjugate ones included."""
    out, in_ = range(len(tensor)), range(len(tensor[0]))
    positions = kernel_positions(tensor)
    matrices = []
    for f in itertools.product(range(size), repeat=2):
        phases = [mp.expjpi(mpf(-2) * (f[0] * p[0] + f[1] * p[1]) / size) for p in positions]
        matrices.append(
            [
                [
                    mp.fsum(
                        tensor[o][i][p[0]][p[1]] * phase
                        for p, phase in zip(positions, phases, strict=True)
                    )
                    for i in in_
                ]
                for o in out
            ]
        )
    return matrices


def kernel_positions(tensor: Tensor) -> list[tuple[int, int]]:
    """Kernel positions in row-major order."""
    return list(itertools.product(range(len(tensor[0][0])), range(len(tensor[0][0][0]))))


def groups_of_matrices(tensor: Tensor, fields: dict[str, Json]) -> list[list[Matrix]]:
    """MAT-3, MAT-9 to MAT-13: matrices by the spectrum that they belong to."""
    out, in_ = len(tensor), len(tensor[0])
    positions = kernel_positions(tensor)
    way = fields.get("conv", fields.get("linear"))
    if way == "slices":
        return [[cut(tensor, p, range(out), range(in_))] for p in positions]
    if way == "pooled":
        return [[cut(tensor, p, range(out), range(in_)) for p in positions]]
    if way == "flattened":
        return [
            [
                [
                    [mpf(tensor[o][i][a][b]) for i in range(in_) for a, b in positions]
                    for o in range(out)
                ]
            ]
        ]
    if way == "operator":
        return [operator(tensor, fields["map_size"])]
    m, q, s = fields["windows"]
    if way == "row-blocks":
        N, M = max(out, in_), min(out, in_)
        height, width = (M, int(M * q)) if q <= 1 else (int(M // q), M)
        result = []
        for block in range(N // M):
            along, across = range(block * height, (block + 1) * height), range(width)
            rows, columns = (along, across) if out >= in_ else (across, along)
            result.append([cut(tensor, p, rows, columns) for p in positions])
        return result
    height = min(m, out, in_)
    width = min(int(height * q), in_)
    return [
        [
            cut(tensor, (0, 0), range(top, top + height), range(left, left + width))
            for top in starts(out - height, s)
            for left in starts(in_ - width, s)
        ]
    ]


def starts(room: int, count: int) -> Iterator[int]:
    """MAT-13: first indices of windows."""
    step = max(1, room // (count - 1))
    for i in range(count):
        if i * step <= room:
            yield i * step


def factor(tensor: Tensor, fields: dict[str, Json], N: int) -> mpf:
    """SPC-9."""
    out, in_, k = len(tensor), len(tensor[0]), len(kernel_positions(tensor))
    separate = k if fields.get("conv") == "slices" else 1
    return {
        "1/N": mpf(1) / N,
        "none": mpf(1),
        "1/out": mpf(1) / out,
        "glorot": mpf(k) * (in_ + out) / 2,
        "weightwatcher-conv": mpf(separate) / 2 if "conv" in fields else mpf(1),
        "weightwatcher-2020": mpf(separate) / 2,
    }[fields["normalization"]]


def spectrum_case(name: str, requirements: str, tensor: Tensor, **fields: Json) -> Json:
    """Make a case of a convolution, or with `linear` of a dense layer (a 1×1 kernel)."""
    out, in_ = len(tensor), len(tensor[0])
    expected: dict[str, list[Json]] = {"N": [], "M": [], "eigenvalues": []}
    largest = mpf(0)
    for matrices in groups_of_matrices(tensor, fields):
        shape = len(matrices[0]), len(matrices[0][0])
        N, M = max(shape), min(shape)
        if fields.get("conv") == "operator":
            N, M = max(out, in_) * fields["map_size"] ** 2, min(out, in_) * fields["map_size"] ** 2
        c = factor(tensor, fields, N)
        values = sorted(c * value for W in matrices for value in squared_singular_values(W))
        if fields.get("orientation") == "toggled" and out < in_ and len(matrices) % 2 == 0:
            N, M = M, N
        expected["N"].append(N)
        expected["M"].append(M)
        expected["eigenvalues"].append([decimal(value) for value in values])
        require(values[0] > values[-1] * mpf("1e-6"), f"{name}: nearly singular")
        largest = max(largest, values[-1])
    given = {"tensor": tensor, "convention": fields}
    tolerance = {"eigenvalues": bound("absolute", largest * mpf("1e-12"))}
    return case(f"cnv/spectrum/{name}", requirements, given, expected, tolerance)


def integers(out: int, in_: int, k1: int = 1, k2: int = 1) -> Tensor:
    """Tensor of small whole numbers without a pattern: digits of a multiplicative generator."""
    state = 12345

    def entry() -> float:
        nonlocal state
        state = state * 16807 % (2**31 - 1)
        return float(state // 1000 % 23 - 11)

    return [
        [[[entry() for _ in range(k2)] for _ in range(k1)] for _ in range(in_)] for _ in range(out)
    ]


def spectrum_cases() -> list[Json]:
    """Make the cases of MAT-9 to MAT-14 and SPC-9, SPC-12."""
    tall, wide, dense = integers(7, 3, 2, 2), integers(2, 5, 2, 2), integers(6, 7)
    result = [
        spectrum_case(
            f"factor/{value.replace('/', '-')}/{way}", "SPC-9", tall, conv=way, normalization=value
        )
        for value in ("1/N", "none", "1/out", "glorot", "weightwatcher-conv", "weightwatcher-2020")
        for way in ("slices", "pooled")
    ]
    result += [
        spectrum_case(
            "factor/dense/weightwatcher-conv",
            "SPC-9",
            dense,
            linear="windows",
            windows=[7, 1.0, 2],
            normalization="weightwatcher-conv",
        ),
        spectrum_case(
            "factor/dense/weightwatcher-2020",
            "SPC-9",
            dense,
            linear="windows",
            windows=[7, 1.0, 2],
            normalization="weightwatcher-2020",
        ),
    ]
    none = {"normalization": "none"}
    for name, tensor in (("tall", tall), ("wide", wide)):
        result += [
            spectrum_case(f"pooled/{name}", "MAT-9 SPC-12", tensor, conv="pooled", **none),
            spectrum_case(
                f"pooled/{name}/toggled",
                "MAT-14",
                tensor,
                conv="pooled",
                orientation="toggled",
                **none,
            ),
            spectrum_case(f"flattened/{name}", "MAT-11", tensor, conv="flattened", **none),
            spectrum_case(
                f"operator/{name}/n=2", "MAT-12", tensor, conv="operator", map_size=2, **none
            ),
            spectrum_case(
                f"operator/{name}/n=3",
                "MAT-12",
                tensor,
                conv="operator",
                map_size=3,
                normalization="1/N",
            ),
            *(
                spectrum_case(
                    f"row-blocks/{name}/q={q}",
                    "MAT-10 SPC-12",
                    tensor,
                    conv="row-blocks",
                    windows=[1, q, 2],
                    **none,
                )
                for q in (0.5, 1.0, 1.5)
            ),
        ]
    result += [
        spectrum_case(
            f"windows/{m}-{q}-{s}",
            "MAT-13 SPC-12",
            dense,
            linear="windows",
            windows=[m, q, s],
            **none,
        )
        for m, q, s in ((4, 1.0, 3), (2, 1.5, 2), (100, 0.5, 4))
    ]
    return result


# Fits

Trial = tuple[mpf, "mpf | None", "Callable[[mpf], mpf]"]


def fit_plain(numerator: int) -> Callable[[list[mpf], mpf, mpf], Trial]:
    """PL-2, PL-35: 1 + (n - numerator)/Σ ln; its standard error and distribution function."""

    def fit(tail: list[mpf], xmin: mpf, _: mpf) -> Trial:
        alpha = 1 + (len(tail) - numerator) / mp.fsum(mp.log(x / xmin) for x in tail)
        stderr = (alpha - 1) / mp.sqrt(len(tail))
        return alpha, stderr, lambda x: 1 - (x / xmin) ** (1 - alpha)

    return fit


def fit_bounded(tail: list[mpf], xmin: mpf, xmax: mpf) -> Trial:
    """PL-23 and CNV-5, in w = ln(x/xmin)/ln(xmax/xmin) and θ = (α-1)·ln(xmax/xmin)."""
    width = mp.log(xmax / xmin)
    mean = mp.fsum(mp.log(x / xmin) for x in tail) / width / len(tail)

    theta = mpf(0)
    if abs(mean - mpf(1) / 2) > mpf("1e-40"):
        low, high = mpf("-1e4") + mpf("0.1"), mpf("1e4")
        for _ in range(160):  # the mean falls with θ
            theta = (low + high) / 2
            above = 1 / theta - 1 / mp.expm1(theta) > mean
            low, high = (theta, high) if above else (low, theta)
    variance = 1 / theta**2 - 1 / (2 * mp.sinh(theta / 2)) ** 2 if theta else mpf(1) / 12
    stderr = 1 / (width * mp.sqrt(len(tail) * variance))

    def cdf(x: mpf) -> mpf:
        w = mp.log(x / xmin) / width
        return mp.expm1(-theta * w) / mp.expm1(-theta) if theta else w

    return 1 + theta / width, stderr, cdf


def fit_truncated(tail: list[mpf], xmin: mpf, _: mpf) -> Trial:
    """PL-26."""
    p = most_likely("truncated_power_law", {"xmin": xmin}, tail, ["1.5", "0.1"])
    stderr = standard_errors("truncated_power_law", p, len(tail))[0]
    return p["alpha"], stderr, lambda x: 1 - survival("truncated_power_law", p, x)


ESTIMATORS = {
    "mle": fit_plain(0),
    "mle-unbiased": fit_plain(2),
    "corrected": fit_plain(1),
    "bounded-mle": fit_bounded,
    "truncated": fit_truncated,
}
LEAST = {"mle-unbiased": 3, "corrected": 8}
"""Points that a tail needs, beyond 2 distinct ones."""


def grouped(points: list[mpf]) -> list[mpf]:
    """SPC-13, for the widths of squared singular values: every group at its least member."""
    epsilon = 8 * mp.sqrt(max(len(points), 64)) * 2 * mpf(2) ** -53  # SPC-4
    result, top = list(points), len(points) - 1
    while top >= 0:
        largest, xmax = points[top], points[-1]
        width = 2 * (2 * epsilon * mp.sqrt(largest * xmax) + epsilon**2 * xmax)
        least = min(i for i in range(top + 1) if points[i] >= largest - width)
        clear = all(abs(largest - x - width) > width / 10 for x in points[: top + 1])
        require(clear, "a point is too close to the end of a group")
        result[least : top + 1] = [points[least]] * (top + 1 - least)
        top = least - 1
    return result


def fit_case(
    name: str, requirements: str, sample: Sequence[float], estimator: str = "mle", **fields: Json
) -> Json:
    """Make a case: every candidate tail is fitted, and the one of least distance taken."""
    points = sorted(map(mpf, sample))
    if fields.get("equal_eigenvalues", "group") == "group":
        points = grouped(points)
    xmax = points[-1]
    least = LEAST.get(estimator, 2)
    rule = fields.get("xmin", "ks")
    if rule == "ks":
        candidates = sorted({x for x in points if x < xmax})
    elif rule == "median":
        candidates = [points[int(len(points) / mpf(fields["xmin_position"]))]]
    elif rule == "erg":
        candidates = [points[-erg_size(points)]]
    else:
        candidates = [mpf(rule)]
    found = []
    for xmin in candidates:
        tail = [x for x in points if x >= xmin]
        if len(tail) < least and len(points) >= least:
            continue
        alpha, stderr, cdf = ESTIMATORS[estimator](tail, xmin, xmax)
        top = cdf(xmax) if fields.get("ks_model") == "renormalized" else mpf(1)
        gaps = [abs(cdf(x) / top - mpf(tail.index(x)) / len(tail)) for x in tail]
        found.append((max(gaps), xmin, tail, alpha, stderr))
        if len(points) < least:
            break
    found.sort(key=lambda trial: trial[0])
    require(len(found) == 1 or found[1][0] - found[0][0] > APART, f"{name}: two are too close")
    distance, xmin, tail, alpha, stderr = found[0]
    expected = {
        "alpha": decimal(alpha),
        "alpha_stderr": decimal(stderr),
        "xmin": decimal(xmin),
        "tail_size": len(tail),
        "ks_distance": decimal(distance),
    }
    own = {"small_samples": "corrected"} if estimator == "corrected" else {"estimator": estimator}
    given = {"sample": list(sample), "convention": {"ks": "one-sided", **own, **fields}}
    closed = estimator in ("mle", "mle-unbiased", "corrected")
    relative = bound("relative", "1e-12" if closed else "1e-9")
    tolerance = {
        "alpha": relative,
        "alpha_stderr": bound("relative", "1e-11" if closed else "1e-8"),
        "ks_distance": bound("absolute", "1e-12" if closed else "1e-9"),
    }
    return case(f"cnv/fit/{name}", requirements, given, expected, tolerance)


def fit_cases() -> list[Json]:
    """Make the cases of CNV-5 to CNV-8."""
    heavy, body = pareto(24, "2.5"), lognormal(30, "0", "1")
    largest = {"xmax": "largest", "ks_model": "renormalized"}
    repeated = [x * (1 + k * 2.0**-51) for x in heavy[::3] for k in range(6)]
    return [
        fit_case("renormalized/pareto", "CNV-7", heavy, **largest),
        fit_case("renormalized/lognormal", "CNV-7", body, **largest),
        fit_case("unbiased/pareto", "CNV-5", heavy, "mle-unbiased"),
        fit_case("unbiased/lognormal", "CNV-5", body, "mle-unbiased"),
        fit_case("unbiased/renormalized", "CNV-5 CNV-7", body, "mle-unbiased", **largest),
        fit_case("bounded/pareto", "CNV-5", heavy[:12], "bounded-mle", **largest),
        fit_case("bounded/lognormal", "CNV-5", body[:14], "bounded-mle", **largest),
        fit_case("bounded/given-xmin", "CNV-5 CNV-6", heavy, "bounded-mle", xmin=1.25, **largest),
        fit_case("truncated/given-xmin", "CNV-5", cut_off(30, "1.8", "20"), "truncated", xmin=0.95),
        *(
            fit_case(f"corrected/n={n}", "CNV-8", pareto(n, "2.2"), "corrected")
            for n in (19, 9, 8, 5, 2)
        ),
        fit_case("corrected/lognormal", "CNV-8", lognormal(18, "0", "0.7"), "corrected"),
        fit_case("median/p=1.5", "CNV-6", body, xmin="median", xmin_position=1.5),
        fit_case("median/p=3", "CNV-6", body, xmin="median", xmin_position=3.0),
        fit_case("grouped/repeated", "SPC-13 PL-3", repeated),
        fit_case("grouped/renormalized", "SPC-13 PL-3 CNV-7", repeated, **largest),
        fit_case("grouped/erg", "SPC-13 CNV-6", repeated, xmin="erg"),
        fit_case("apart/repeated", "SPC-13 PL-3", repeated, equal_eigenvalues="apart"),
        fit_case("erg/lognormal", "CNV-6", body, xmin="erg"),
        fit_case("erg/pareto", "CNV-6", heavy, xmin="erg"),
    ]


# Metrics


def erg_size(eigenvalues: Sequence[mpf]) -> int:
    """MET-16."""
    mean = mp.fsum(eigenvalues) / len(eigenvalues)
    total = mpf(0)
    for size, value in enumerate(reversed(eigenvalues), 1):
        total += mp.log(value / mean) if value else -mp.inf
        require(abs(total) > APART, "the sum is too close to 0")
        if total < 0:
            return size
    raise ValueError("no tail")


def metric_case(name: str, eigenvalues: list[float], N: int, xmin: float) -> Json:
    """Make a case of MET-15 to MET-17."""
    lam = [mpf(value) for value in eigenvalues]
    total, largest = mp.fsum(lam), lam[-1]
    limit = mp.sqrt(largest) * N * mpf(2) ** -52
    require(all(abs(mp.sqrt(x) / limit - 1) > APART for x in lam), f"{name}: on the limit")
    rank = sum(mp.sqrt(x) > limit for x in lam)
    shift = mpf("1e-10")
    shares = [x / total + shift for x in lam]
    size = erg_size(lam)
    expected = {
        "rank": rank,
        "entropy": decimal(-mp.fsum(p * mp.log(p) for p in shares) / mp.log(rank + shift)),
        "erg_tail_size": size,
        "delta_lambda_min": decimal((mpf(xmin) - lam[-size]) * len(lam) / total),
    }
    tolerance = {
        "entropy": bound("absolute", "1e-12"),
        "delta_lambda_min": bound("absolute", "1e-12"),
    }
    given = {"eigenvalues": eigenvalues, "N": N, "xmin": xmin}
    requirements = "MET-15 MET-16 MET-17"
    return case(f"cnv/metric/{name}", requirements, given, expected, tolerance)


def cases() -> list[Json]:
    """Make all cases of the chapter."""
    return [
        *spectrum_cases(),
        *fit_cases(),
        metric_case("pareto", pareto(20, "2.5"), 40, 1.5),
        metric_case("lognormal", lognormal(25, "1", "1.2"), 25, 9.0),
        metric_case("deficient", [0.0, 1e-34, 1e-24, 0.5, 1.0, 4.0], 12, 0.75),
        metric_case("two", [1.0, 3.0], 7, 1.0),
    ]
