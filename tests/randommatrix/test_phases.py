"""The rules that name a phase, one by one, and matrices made in each."""

import csv
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from htsr_ref.errors import SampleError
from htsr_ref.powerlaw.extreme import TailIndex
from htsr_ref.randommatrix import ensembles
from htsr_ref.randommatrix.bulk import BulkFit
from htsr_ref.randommatrix.phases import decide, phase_of

SPEC = Path(__file__).parents[2] / "spec"

NOISE = BulkFit(
    variance=1.0,
    Q=4.0,
    lambda_minus=0.25,
    lambda_plus=2.25,
    edge=2.5,
    apart=3.0,
    bulk_size=90,
    num_spikes=0,
    spike_mass=0.0,
    soft_rank=1.0,
    ks_distance=0.02,
    ks_limit=0.04,
)
WEAK = replace(NOISE, num_spikes=3, soft_rank=2.25 / 2.75)
STRONG = replace(NOISE, num_spikes=3, soft_rank=2.25 / 9.0)
MANY = replace(STRONG, num_spikes=60)
HEAVY = TailIndex(0.5, 0.2, 9)
BOUNDED = replace(HEAVY, xi=-0.1)


def misfit(bulk: BulkFit, distance: float = 0.05) -> BulkFit:
    return replace(bulk, ks_distance=distance)


@pytest.mark.spec("RMT-35")
@pytest.mark.parametrize(
    ("zero_share", "bulk", "index", "name"),
    [
        (0.1, NOISE, HEAVY, "rank-collapse"),
        (0.5, None, None, "rank-collapse"),
        (0.0999, NOISE, BOUNDED, "random-like"),
        (0.0, NOISE, HEAVY, "random-like"),
        (0.0, misfit(NOISE, 0.04), HEAVY, "random-like"),
        (0.0, misfit(NOISE), HEAVY, "undecided"),
        (0.0, WEAK, HEAVY, "bleeding-out"),
        (0.0, misfit(WEAK), HEAVY, "bleeding-out"),
        (0.0, STRONG, HEAVY, "bulk+spikes"),
        (0.0, MANY, HEAVY, "bulk+spikes"),
        (0.0, misfit(STRONG), BOUNDED, "bulk-decay"),
        (0.0, misfit(STRONG, 0.117), HEAVY, "bulk-decay"),
        (0.0, misfit(STRONG, 0.119), HEAVY, "heavy-tailed"),
        (0.0, misfit(MANY), HEAVY, "heavy-tailed"),
        (0.0, misfit(MANY), BOUNDED, "undecided"),
        (0.0, misfit(MANY), None, "undecided"),
        (0.0, None, HEAVY, "heavy-tailed"),
        (0.0, None, BOUNDED, "undecided"),
        (0.0, None, None, "undecided"),
    ],
)
def test_rules(zero_share, bulk, index, name):
    phase = decide(zero_share, bulk, index)
    assert phase.name == name
    assert (phase.zero_share, phase.bulk, phase.index) == (zero_share, bulk, index)


@pytest.mark.spec("RMT-35")
def test_the_reason_has_the_numbers():
    assert decide(0.25, None, None).reason == "25% of the eigenvalues are zero"
    assert decide(0.0, STRONG, None).reason == (
        "λ_max 9 is above 3; KS distance of the bulk 0.020, limit 0.040"
    )
    assert decide(0.0, None, HEAVY).reason == (
        "there is no Marchenko-Pastur bulk, and the extreme-value index is 0.50"
    )


def made(name: str, N: int, M: int) -> np.ndarray:
    rng = np.random.default_rng(5)
    match name:
        case "random-like":
            return rng.uniform(-1, 1, (N, M))
        case "bleeding-out":
            return ensembles.spiked(N, M, [1.5 * (M / N) ** 0.5] * 5, rng)
        case "bulk+spikes":
            return ensembles.low_rank_plus_noise(N, M, 8, rng, strength=4.0)
        case "bulk-decay":
            return ensembles.student_t(N, M, 2.7, rng)
        case "heavy-tailed":
            return ensembles.pareto(N, M, 1.0, rng)
        case "rank-collapse":
            return ensembles.low_rank_plus_noise(N, M, M // 2, rng, sigma=0.0)
        case "undecided":
            return ensembles.correlated_rows(N, M, 0.8, rng)
    raise AssertionError(name)


@pytest.mark.spec("RMT-35", "RMT-36")
@pytest.mark.parametrize(
    "name",
    [
        "random-like",
        "bleeding-out",
        "bulk+spikes",
        "bulk-decay",
        "heavy-tailed",
        "rank-collapse",
        "undecided",
    ],
)
def test_a_matrix_of_each_phase(name):
    W = made(name, 800, 400)
    eigenvalues = np.linalg.eigvalsh(W.T @ W / 800)
    eigenvalues[eigenvalues < 1e-12 * eigenvalues[-1]] = 0.0
    phase = phase_of(eigenvalues, 800)
    assert phase.name == name
    for exponent in (-90, 90):
        scaled = phase_of(2.0**exponent * eigenvalues, 800)
        assert (scaled.name, scaled.index) == (name, phase.index)


@pytest.mark.spec("RMT-36")
def test_what_the_rank_does_not_count_is_zero():
    W = np.random.default_rng(1).standard_normal((400, 200))
    eigenvalues = np.linalg.eigvalsh(W.T @ W / 400)
    collapsed = phase_of(eigenvalues, 400, rank=150)
    assert (collapsed.name, collapsed.zero_share) == ("rank-collapse", 0.25)
    assert phase_of(eigenvalues, 400, rank=200).name == "random-like"


@pytest.mark.spec("RMT-36")
def test_small_and_degenerate_spectra():
    assert phase_of(np.zeros(5), 5).name == "rank-collapse"
    assert phase_of(np.arange(1.0, 6.0), 5).name == "undecided"
    assert phase_of(np.ones(40), 40).name == "undecided"
    with pytest.raises(SampleError, match="do not fit 39 rows"):
        phase_of(np.ones(40), 39)


@pytest.mark.spec("RMT-35")
def test_the_printed_confusion_matrix_is_the_measured_one():
    text = (SPEC / "experiments" / "phases.csv").read_text(encoding="utf-8")
    table = list(csv.DictReader(text.splitlines()))
    names = list(table[0])[5:]
    page = (SPEC / "rmt-bulk.md").read_text(encoding="utf-8")
    printed = re.findall(r"(?m)^\| ([^|]+), (\d+)×(\d+) \|((?: \d+ \|){7})$", page)
    found = {
        (kind, int(N), int(M)): [int(n) for n in re.findall(r"\d+", row)]
        for kind, N, M, row in printed
    }
    expected: dict[tuple[str, int, int], list[int]] = {}
    for row in table:
        key = (row["phase"], int(row["rows"]), int(row["columns"]))
        counts = [int(row[name]) for name in names]
        expected[key] = [a + b for a, b in zip(expected.get(key, [0] * 7), counts, strict=True)]
    assert found == expected
