"""VRD-1 to VRD-8: verdicts on matrices of known nature, each rule at its limit, tests in words."""

import csv
import io
import re
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from builders import gaussian, power_law_matrix
from hypothesis import given
from hypothesis import strategies as st

from htsr_ref import analyze
from htsr_ref.conventions import SDM2020
from htsr_ref.reports.judgments import LEGEND, test_rows, verdict_rows, verdict_text
from htsr_ref.reports.markdown import remarks, to_markdown
from htsr_ref.reports.report import ExtremeValue, LawComparison
from htsr_ref.reports.verdicts import VERDICTS, alpha_remark, verdict_of
from htsr_ref.reports.words import comparison_in_words, goodness_in_words, p_text

test_rows.__test__ = False


def matrix_of(W, convention=SDM2020):
    return analyze({"fc": W}, convention).layers[0].matrices[0]


def orthogonal(rows, columns, seed=0):
    return np.linalg.qr(gaussian(rows, columns, seed=seed))[0]


def pareto(mu, rows, columns, seed=0):
    rng = np.random.default_rng(seed)
    return (1 + rng.pareto(mu, (rows, columns))) * rng.choice([-1.0, 1.0], (rows, columns))


@pytest.fixture(scope="module")
def heavy():
    """A matrix with the quantiles of a power law as eigenvalues, which no bulk describes."""
    found = matrix_of(power_law_matrix(2.0, n=120))
    assert found.verdict.name == "power law"
    return found


NOISE = {
    "Gaussian": gaussian(120, 60),
    "uniform, as PyTorch begins": np.random.default_rng(0).uniform(-0.1, 0.1, (100, 100)),
    "truncated normal": np.clip(gaussian(90, 60), -2, 2),
    "orthogonal": orthogonal(60, 60),
    "orthogonal, not square, of another gain": 3.0 * orthogonal(200, 40),
    "orthogonal in 16 bits": orthogonal(64, 64).astype(np.float16),
    "a position of an orthogonal kernel": orthogonal(9 * 128, 128)[128:256],
}


@pytest.mark.spec("VRD-1", "VRD-3")
@pytest.mark.parametrize("name", NOISE)
def test_untrained_matrices_are_random_like(name):
    assert matrix_of(NOISE[name]).verdict.name == "random-like"


@pytest.mark.spec("VRD-1", "VRD-5")
def test_heavy_entries_are_a_power_law():
    verdict = matrix_of(pareto(1.0, 200, 150)).verdict
    assert verdict.name == "power law"
    assert verdict.reason.startswith("ξ = ")


@pytest.mark.spec("VRD-1", "VRD-4")
def test_values_that_end_evenly_have_an_edge():
    """Eigenvalues spread evenly up to 1 have ξ = -1."""
    verdict = matrix_of(np.diag(np.sqrt(np.linspace(0.05, 1.0, 200)))).verdict
    assert verdict.name == "no power law (edge)"


@pytest.mark.spec("VRD-5")
def test_a_spike_above_noise_is_no_power_law():
    """Of matrices of rank 1 and noise some have ξ > 0 for certain: none has a power law."""
    certain = 0
    for seed in range(8):
        W = gaussian(100, 50, seed=seed)
        W[:, 0] *= 6.0
        found = matrix_of(W)
        assert found.verdict.name == "undecided"
        if found.extreme_value.verdict == "heavy tail":
            certain += 1
            assert found.verdict.reason.endswith("9 of its 10 values belong to a bulk")
    assert certain > 0


@pytest.mark.spec("VRD-5")
def test_columns_of_uneven_scale_do_not_make_spikes_a_power_law():
    """Their bulk is beyond the limit of chance, and still nothing but a bulk."""
    scales = np.random.default_rng(1).uniform(0.7, 1.3, 200)
    W = gaussian(400, 200) * scales
    W[:, :6] *= np.linspace(3.0, 6.0, 6)
    found = matrix_of(W)
    assert found.extreme_value.verdict == "heavy tail"
    assert found.mp.ks_distance > found.mp.ks_limit
    assert found.verdict.name == "undecided"
    assert found.verdict.reason.endswith(" of its 20 values belong to a bulk")


@pytest.mark.spec("VRD-2")
def test_below_twenty_positive_eigenvalues_there_is_none(heavy):
    def name(eigenvalues, zero):
        return verdict_of(replace(heavy, num_eigenvalues=eigenvalues, num_zero=zero)).name

    assert (name(20, 0), name(30, 10)) == ("power law", "power law")
    assert (name(19, 0), name(30, 11)) == ("too few eigenvalues", "too few eigenvalues")
    assert matrix_of(gaussian(30, 19)).verdict.name == "too few eigenvalues"


@pytest.mark.spec("VRD-3")
def test_the_limits_of_noise():
    noise = matrix_of(NOISE["Gaussian"])
    small = noise.mp.ks_limit > 0.05

    def name(**changes):
        return verdict_of(replace(noise, mp=replace(noise.mp, **changes))).name

    assert small
    assert name(ks_distance=noise.mp.ks_limit) == "random-like"
    assert name(ks_distance=noise.mp.ks_limit + 1e-9) == "undecided"
    assert name(ks_limit=0.01, ks_distance=0.05) == "random-like"
    assert name(ks_limit=0.01, ks_distance=0.0501) == "undecided"
    assert name(num_spikes=1) == "undecided"
    assert verdict_of(replace(noise, phase="rank-collapse")).name == "undecided"
    assert verdict_of(replace(noise, mp=None)).name == "undecided"
    flat = replace(noise, mp=None, lambda_min=1.0, lambda_max=1.1)
    assert verdict_of(flat).name == "random-like"
    assert verdict_of(replace(flat, lambda_max=1.1001)).name == "undecided"
    assert verdict_of(replace(flat, num_zero=1)).name == "undecided"


def law(ratio, p_value):
    return LawComparison(ratio, None, p_value, None, "vuong")


@pytest.mark.spec("VRD-5", "VRD-6")
@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"tail_size": 9}, "but α is fitted to 9 values"),
        ({"tail_size": None, "alpha_null_reason": "none"}, "but there is no fit: none"),
        ({"p_value": 0.0999}, "but the power law is rejected, p .1"),
        ({"comparisons": {"lognormal": law(-3.0, 0.02)}}, "but lognormal is preferred, p .02"),
        ({"tail_size": 10}, ": a heavy tail"),
        ({"p_value": 0.1}, ": a heavy tail"),
        ({"comparisons": {"lognormal": law(-3.0, 0.1)}}, ": a heavy tail"),
        ({"comparisons": {"exponential": law(3.0, 0.02), "lognormal": None}}, ": a heavy tail"),
    ],
)
def test_what_speaks_against_a_power_law(heavy, changes, reason):
    verdict = verdict_of(replace(heavy, **changes))
    assert verdict.name == ("power law" if reason == ": a heavy tail" else "undecided")
    assert verdict.reason.endswith(reason)


@pytest.mark.spec("VRD-1")
@given(st.floats(-2.0, 2.0), st.floats(0.01, 2.0))
def test_an_undecided_index_implies_nothing(heavy, xi, stderr):
    """Only an interval that leaves 0 on one side says anything, and then what its sign says."""
    sure = abs(xi) > 1.959963984540054 * stderr
    said = ("heavy tail" if xi > 0 else "bounded edge") if sure else "undecided"
    found = verdict_of(
        replace(heavy, extreme_value=ExtremeValue(xi, stderr, 12, "moment", said, None))
    )
    expected = {"heavy tail": "power law", "bounded edge": "no power law (edge)"}
    assert found.name == expected.get(said, "undecided")
    assert verdict_of(replace(heavy, extreme_value=None)).name == "undecided"


@pytest.mark.spec("VRD-1")
@given(
    st.sampled_from([gaussian(60, 40), pareto(1.0, 60, 40), orthogonal(40, 30)]),
    st.integers(-30, 30),
    st.randoms(use_true_random=False),
)
def test_scale_order_and_orientation_do_not_matter(W, power, random):
    rows = random.sample(range(len(W)), len(W))
    changed = np.ldexp(W, power)[rows].T
    before, after = matrix_of(W).verdict, matrix_of(changed).verdict
    assert (after.name, after.remark) == (before.name, before.remark)


@pytest.mark.spec("VRD-7")
def test_alpha_outside_the_range_is_remarked_in_the_words_of_the_field():
    assert [alpha_remark(alpha) for alpha in (None, 2.0, 4.0, 6.0)] == [None] * 4
    assert alpha_remark(1.5) == 'α = 1.5 is below 2: "over-trained" in the words of WeightWatcher'
    report = analyze({"fc": power_law_matrix(1.5)})
    assert remarks(report) == [f"fc: {report.layers[0].matrices[0].verdict.remark}"]
    assert '"over-trained"' in remarks(report)[0]
    failed = SDM2020.override({"failed_alpha": -1.0})
    assert matrix_of(np.eye(30), failed).verdict.remark is None


@pytest.mark.spec("VRD-6")
def test_tests_in_words():
    assert goodness_in_words(0.61) == "power law not rejected, p .61"
    assert goodness_in_words(0.003) == "power law rejected, p .003"
    for ratio, p_value, said in (
        (-4.0, 0.003, "lognormal preferred, p .003"),
        (4.0, 0.003, "power law preferred over lognormal, p .003"),
        (-4.0, 0.56, "power law or lognormal: undecided, p .56"),
        (4.0, 0.56, "power law or lognormal: undecided, p .56"),
        (-4.0, None, "power law or lognormal: undecided, p –"),
    ):
        assert comparison_in_words("lognormal", law(ratio, p_value)) == said
    assert (p_text(0.00099), p_text(0.25), p_text(1.0)) == ("p < .001", "p .25", "p 1")


@pytest.mark.spec("VRD-6", "PL-18")
def test_a_law_is_favored_only_where_the_comparison_has_decided():
    favored = set()
    for W in (power_law_matrix(2.0, n=200), np.diag(np.random.default_rng(0).uniform(1, 2, 200))):
        (layer,) = analyze({"fc": W}, compare=True).layers
        for name, test in layer.matrices[0].comparisons.items():
            likelier = "power_law" if test.log_likelihood_ratio > 0 else name
            decided = test.p_value is not None and test.p_value < 0.1
            assert test.favored == (likelier if decided else None)
            favored.add(test.favored)
    assert {None, "power_law"} < favored


@pytest.fixture(scope="module")
def tested():
    kernel = np.stack([power_law_matrix(2.5), gaussian(60, 60)], axis=-1)
    arrays = {"one": power_law_matrix(2.0, n=120), "conv.weight": kernel}
    return analyze(arrays, gof=20, compare=True)


@pytest.mark.spec("VRD-8", "RPT-6")
def test_every_form_shows_verdicts_and_tests(tested):
    one, two = tested.layers
    verdict = one.matrices[0].verdict
    assert verdict_rows(tested)[0] == ["one", verdict.name, verdict.reason]
    assert verdict_text(two) == "1 undecided, 1 random-like"
    assert verdict_rows(tested)[1][2] == f"such as: {two.matrices[0].verdict.reason}"
    rows = test_rows(tested)
    assert [row[0] for row in rows].count("one") == 1
    assert rows[0][1].startswith("power law not rejected, p ")
    counted = [row[1] for row in rows if "of 2" in row[1]]
    assert counted[0].startswith("power law not rejected in ")
    assert counted[1].startswith("truncated power law preferred in ")
    text = to_markdown(tested)
    assert f"| one | {verdict.name} | {verdict.reason} |" in text
    assert rows[0][1] in text
    assert [line.split(":")[0] for line in LEGEND] == ["D", "tail", "ξ", "verdict"]
    assert all(line.split(":")[0] in text for line in LEGEND)
    first, second, _ = csv.DictReader(io.StringIO(tested.to_csv()))
    assert (first["verdict"], first["verdict_reason"]) == (verdict.name, verdict.reason)
    assert first["tests"].split("; ")[0] == rows[0][1]
    assert second["verdict"] == two.matrices[0].verdict.name
    untested = analyze({"one": power_law_matrix(2.0)})
    assert test_rows(untested) == []
    assert next(csv.DictReader(io.StringIO(untested.to_csv())))["tests"] == ""


SPEC = Path(__file__).parents[2] / "spec"


def simulated():
    """Rows of the experiment's table by kind, shape and convention."""
    with (SPEC / "experiments" / "verdicts.csv").open(newline="", encoding="utf-8") as stream:
        return {
            (row["kind"], int(row["rows"]), int(row["columns"]), row["convention"]): row
            for row in csv.DictReader(stream)
        }


@pytest.mark.spec("VRD-1")
def test_the_printed_rates_are_the_measured_ones():
    page = (SPEC / "vrd.md").read_text(encoding="utf-8")
    header, _, *lines = re.findall(r"^\|.*\|$", page.split("in percent, as")[1], flags=re.M)
    shapes = [tuple(map(int, shape)) for shape in re.findall(r"(\d+)×(\d+)", header)]
    table, found = simulated(), set()
    for line in lines:
        kind, *cells = (cell.strip() for cell in line.strip("|").split(" | "))
        found.add(kind)
        for shape, cell in zip(shapes, cells, strict=True):
            row = table[kind, *shape, "sdm2020"]
            rates = [100 * int(row[name]) / int(row["draws"]) for name in VERDICTS[:4]]
            assert cell == "/".join(f"{rate:.0f}" for rate in rates), (kind, shape)
    assert found == {kind for kind, *_ in table}


@pytest.mark.spec("VRD-1")
def test_what_the_chapter_says_of_noise_and_spikes():
    counted = Counter()
    for (kind, *_, convention), row in simulated().items():
        if convention == "sdm2020":
            counted += Counter({(kind, name): int(row[name]) for name in (*VERDICTS, "draws")})
    noise = list(dict.fromkeys(kind for kind, *_ in simulated()))[:5]
    assert sum(counted[kind, "draws"] for kind in noise) == 1950
    assert sum(counted[kind, "random-like"] for kind in noise) == 1947
    spiked = [kind for kind, *_ in simulated() if "spike" in kind]
    for kind in (*noise, *spiked):
        assert counted[kind, "power law"] == counted[kind, "no power law (edge)"] == 0
    found = {kind for kind, name in counted if name == "power law"}
    assert {kind.split(",")[0] for kind in found} == {"Pareto", "power law"}
