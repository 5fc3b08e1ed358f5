"""The shipped conventions from end to end, against transcriptions of what they follow.

Each transcription goes the plain way: NumPy's singular values, every candidate tail fitted.
WeightWatcher has its own test, against its own tables.
"""

import json
import math
from collections.abc import Callable
from pathlib import Path

import jsonschema
import numpy as np
import pytest
from networks import CONVOLUTIONS, heavy, networks, role

from htsr_ref import Report, analyze
from htsr_ref.conventions import CONVENTIONS

SPEC = Path(__file__).parents[2] / "spec"
SCHEMA = json.loads((SPEC / "schemas" / "report.schema.json").read_text(encoding="utf-8"))
Array = np.ndarray
NETWORKS = networks()
WEIGHTS = {**NETWORKS["mlp"], **NETWORKS["convnet"], "tokens": NETWORKS["embedding"]["tokens"]}
RNG = np.random.default_rng(5)
LARGE = {
    "wide": heavy(RNG, 120, 260, mu=2.5),
    "conv": heavy(RNG, 60, 52, 1, 2),
    "square": heavy(RNG, 130, 130, mu=1.5),
    "flat": heavy(RNG, 10, 512),
    "short": heavy(RNG, 200, 64),
}
ALL = {name: weight.astype(np.float64) for name, weight in (WEIGHTS | LARGE).items()}


def report(convention: str, weights: dict[str, Array] = ALL) -> Report:
    layers = {
        name: {"role": role(name)}
        | ({"groups": CONVOLUTIONS[name]} if name in CONVOLUTIONS else {})
        for name in weights
    }
    return analyze(weights, CONVENTIONS[convention], layers=layers)


@pytest.mark.slow
@pytest.mark.spec("RPT-1", "RPT-2", "CNV-1")
@pytest.mark.parametrize("name", CONVENTIONS)
def test_reports_validate_and_come_back(name):
    text = report(name, NETWORKS["convnet"] | NETWORKS["degenerate"]).to_json()
    jsonschema.Draft202012Validator(SCHEMA).validate(json.loads(text))
    assert Report.from_json(text).to_json() == text


def eigenvalues(*matrices: Array) -> Array:
    return np.sort(np.concatenate([np.linalg.svd(W, compute_uv=False) ** 2 for W in matrices]))


def slices(weight: Array) -> list[Array]:
    """Matrices at the kernel positions, as stored; a dense layer is one."""
    if weight.ndim == 2:
        return [weight]
    return [weight[:, :, i, j] for i in range(weight.shape[2]) for j in range(weight.shape[3])]


def hill(lam: Array, start: int) -> float:
    """1 + n/Σ ln(λ_j/λ_start) over the n values from one on."""
    logs = np.log(lam[start:])
    return 1 + logs.size / (logs.sum() - logs.size * logs[0])


def distance(lam: Array, start: int, xmax: float = math.inf) -> float:
    """One-sided KS distance of the tail, of the law divided by its value at xmax."""
    tail, alpha = lam[start:], hill(lam, start)
    cdf = 1 - (tail / tail[0]) ** (1 - alpha)
    top = 1 - (xmax / tail[0]) ** (1 - alpha)
    return float(np.abs(cdf / top - np.arange(tail.size) / tail.size).max())


def best(lam: Array, low: float = 0, high: float = math.inf, xmax: float = math.inf) -> float:
    starts = [i for i in range(lam.size - 1) if low <= lam[i] <= high]
    return hill(lam, min(starts, key=lambda i: distance(lam, i, xmax)))


def near_peak(lam: Array) -> float:
    """The window of the codes, whose lower end stays a logarithm."""
    counts, edges = np.histogram(np.log10(lam), 100)
    peak = 10 ** edges[counts.argmax()]
    return best(lam, math.log10(0.95 * peak), 1.5 * peak)


def weighted(alpha: float, lam: Array) -> float:
    return alpha * math.log10(lam[-1])


def check(found: Report, expected: dict[str, list[tuple[float, float]]]) -> None:
    """Compare α and the weighted α of every matrix, and which layers there are."""
    got = {
        layer.name: [(matrix.alpha, matrix.weighted_alpha) for matrix in layer.matrices]
        for layer in found.analyzed()
    }
    assert list(got) == list(expected)
    for name, numbers in expected.items():
        np.testing.assert_allclose(got[name], numbers, rtol=1e-10, err_msg=name)


def fitted(lam: Array, alpha_of: Callable[[Array], float]) -> tuple[float, float]:
    alpha = alpha_of(lam)
    return alpha, weighted(alpha, lam)


def truncated(lam: Array) -> float:
    """The fit with xmax, without the smallest eigenvalue."""
    return best(lam[1:], xmax=lam[-1])


@pytest.mark.spec("CNV-11")
def test_paper_code():
    expected = {}
    for name, weight in ALL.items():
        kept = [W for W in slices(weight) if weight.ndim == 2 or min(W.shape) >= 50]
        if kept and name != "tokens":
            expected[name] = [fitted(eigenvalues(W), truncated) for W in kept]
    check(report("sdm2020"), expected)


@pytest.mark.spec("CNV-13")
def test_weightwatcher_0_2_7():
    expected, norms = {}, []
    for name, weight in ALL.items():
        cut = slices(weight)
        scaled = [math.sqrt(len(cut) / 2) * W for W in cut if min(W.shape) >= 50]
        if scaled:
            expected[name] = [fitted(eigenvalues(W), truncated) for W in scaled]
            norms += [math.log10(np.linalg.norm(W)) for W in scaled]
    found = report("weightwatcher-0.2.7")
    check(found, expected)
    assert found.model.mean_log10_frobenius_norm == pytest.approx(np.mean(norms), rel=1e-12)
    numbers = [alpha for pairs in expected.values() for alpha, _ in pairs]
    assert found.model.mean_alpha == pytest.approx(np.mean(numbers), rel=1e-10)


def pooled(weight: Array) -> Array:
    """All positions, convolutions times one half."""
    return eigenvalues(*slices(weight)) * (0.5 if weight.ndim == 4 else 1.0)


@pytest.mark.spec("CNV-14")
def test_hill_median():
    spectra = {name: pooled(weight) for name, weight in ALL.items() if name != "tokens"}
    check(
        report("tempbalance"),
        {
            name: [fitted(lam, lambda x: hill(x, int(x.size / 2)))]
            for name, lam in spectra.items()
            if lam.size >= 50
        },
    )


@pytest.mark.spec("CNV-15")
def test_hill_peak():
    spectra = {name: pooled(weight) for name, weight in ALL.items() if name != "tokens"}
    check(report("alphapruning"), {name: [fitted(lam, near_peak)] for name, lam in spectra.items()})


def windows(weight: Array, rows: int, count: int) -> list[Array]:
    """Square windows at equal steps, at most `count` along each axis."""
    side = min(rows, *weight.shape)
    steps = [max(1, (length - side) // (count - 1)) for length in weight.shape]
    counts = [
        min(count, (length - side) // step + 1)
        for length, step in zip(weight.shape, steps, strict=True)
    ]
    return [
        weight[i * steps[0] : i * steps[0] + side, j * steps[1] : j * steps[1] + side]
        for i in range(counts[0])
        for j in range(counts[1])
    ]


def image_windows(weight: Array, rows: int, count: int) -> list[Array]:
    """The same in FARMS's code for images: a short side begins at a negative index."""
    starts = []
    for length in weight.shape:
        step = max(1, (length - rows) // (count - 1))
        number = min(count, max(1, (length - rows) // step + 1))
        starts.append([min(i * step, length - rows) for i in range(number)])
    return [weight[i : i + rows, j : j + rows] for i in starts[0] for j in starts[1]]


@pytest.mark.spec("CNV-16")
def test_farms_linear():
    dense = {name: W for name, W in ALL.items() if W.ndim == 2 and name != "tokens"}
    check(
        report("farms-linear"),
        {
            name: [fitted(eigenvalues(*windows(W, 2000, 15)), near_peak)]
            for name, W in dense.items()
        },
    )


@pytest.mark.spec("CNV-17")
def test_farms_conv():
    def median(lam: Array) -> float:
        return hill(lam, int(lam.size / 2))

    expected = {}
    for name, weight in ALL.items():
        if weight.ndim == 2:
            expected[name] = [fitted(eigenvalues(*image_windows(weight, 100, 9)), median)]
            continue
        tall = [W if W.shape[0] >= W.shape[1] else W.T for W in slices(weight)]
        side = tall[0].shape[1]
        blocks = [
            0.5 * eigenvalues(*(W[i * side : (i + 1) * side] for W in tall))
            for i in range(tall[0].shape[0] // side)
        ]
        if blocks[0].size >= 5:
            expected[name] = [fitted(lam, median) for lam in blocks]
    del expected["tokens"]
    # Windows of min(100, side) rows and columns would be others.
    assert image_windows(ALL["flat"], 100, 9)[0].shape == (10, 100)
    assert image_windows(ALL["short"], 100, 9)[0].shape == (100, 36)
    found = report("farms-conv")
    check(found, expected)
    layer = next(layer for layer in found.layers if layer.name == "conv1x1")
    alphas = [alpha for alpha, _ in expected["conv1x1"]]
    assert layer.means["alpha"] == pytest.approx(np.mean(alphas), rel=1e-10)


@pytest.mark.spec("CNV-18")
def test_deepdataprofiler():
    expected = {}
    for name, weight in ALL.items():
        if name != "tokens":
            lam = eigenvalues(weight.reshape(weight.shape[0], -1)) / weight.shape[0]
            alpha = best(lam)
            expected[name] = [(alpha, alpha * math.log(lam[-1]))]
    check(report("deepdataprofiler"), expected)


@pytest.mark.spec("CNV-19")
def test_setol():
    expected = {}
    for name, weight in ALL.items():
        lam = pooled(weight)
        rescaled = lam * lam.size / lam.sum()
        start = lam.size - 1
        while np.prod(rescaled[start:]) >= 1:
            start -= 1
        expected[name] = [fitted(lam, lambda x, start=start: hill(x, start))]
    check(report("setol"), expected)
