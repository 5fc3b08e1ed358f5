"""What is said of one sample."""

import json
import math
from dataclasses import replace

import numpy as np
import pytest

from htsr_ref.analysis.evidence import ALTERNATIVES
from htsr_ref.conventions import CONVENTIONS, SDM2020
from htsr_ref.conventions import SDM2020_TEXT as TEXT
from htsr_ref.errors import ConventionError, NoFitError
from htsr_ref.powerlaw import fit_power_law
from htsr_ref.powerlaw.comparison import compare
from htsr_ref.powerlaw.distributions import DISTRIBUTIONS, Exponential, PowerLaw
from htsr_ref.powerlaw.extreme import tail_index
from htsr_ref.powerlaw.uncertainty import bootstrap, goodness_of_fit
from htsr_ref.samples.examining import examine_law, examine_sample

GIVEN = TEXT.override({"xmin": 1.0})
PARETO = np.random.default_rng(4).pareto(1.5, 300) + 1.0
MARCHENKO_PASTUR = np.linalg.eigvalsh(
    (lambda w: w.T @ w / 1000)(np.random.default_rng(0).standard_normal((1000, 500)))
)


def test_the_fit_and_the_index_are_those_of_the_sample():
    report = examine_sample(PARETO, "pareto", TEXT)
    fit, index = fit_power_law(PARETO), tail_index(PARETO)
    assert report.sample_size == 300
    assert report.fit == fit
    assert (report.extreme_value.xi, report.extreme_value.k) == (index.xi, index.k)
    assert report.extreme_value.verdict == "heavy tail"
    assert report.warnings == ()
    nothing = (report.p_value, report.gof_replicas, report.alpha_bootstrap95, report.seed)
    assert nothing == (None, None, None, None)
    assert report.comparisons == {}


def test_what_is_asked_for_is_computed_from_the_seed():
    report = examine_sample(
        PARETO,
        "pareto",
        TEXT.override({"ks": "one-sided", "equal_eigenvalues": "apart"}),
        gof=50,
        replicas=40,
        seed=3,
    )
    fit = fit_power_law(PARETO, ks="one-sided")
    drawn = bootstrap(PARETO, ks="one-sided", replicas=40, seed=3)
    assert report.p_value == goodness_of_fit(PARETO, fit, replicas=50, seed=3).p_value
    assert (report.alpha_bootstrap95, report.xmin_bootstrap95) == (drawn.alpha, drawn.xmin)
    assert (report.gof_replicas, report.seed) == (50, 3)


@pytest.mark.spec("PL-18")
def test_every_alternative_is_fitted_to_the_same_tail():
    report = examine_sample(PARETO, "pareto", compare=True)
    tail = np.sort(PARETO)[-report.fit.tail_size :]
    power_law = PowerLaw.fit(tail, report.fit.xmin)
    assert tuple(report.comparisons) == ALTERNATIVES
    for name, found in report.comparisons.items():
        expected = compare(power_law, DISTRIBUTIONS[name].fit(tail, report.fit.xmin), tail)
        assert found.log_likelihood_ratio == expected.log_likelihood_ratio
        assert (found.p_value, found.test) == (expected.p_value, expected.test)
        likelier = {1: "power_law", -1: name, 0: None}[np.sign(found.log_likelihood_ratio)]
        assert found.favored == (likelier if (found.p_value or 0.0) < 0.1 else None)


@pytest.mark.spec("PL-18", "RPT-1")
def test_a_law_that_cannot_be_fitted_is_not_compared_and_the_reason_is_given():
    report = examine_sample([9.0] * 4, "equal", GIVEN, compare=True)
    assert report.fit.alpha == pytest.approx(1 + 1 / np.log(9), rel=1e-12)
    assert report == replace(
        examine_sample([9.0] * 4, "equal", GIVEN),
        comparisons=report.comparisons,
        warnings=report.warnings,
    )
    without = {name for name, found in report.comparisons.items() if found is None}
    assert without == {"lognormal", "stretched_exponential"}
    for name in without:
        assert f"no comparison with {name}: all 4 values of the tail are equal" in report.warnings
    # All points are equal: R = n·(ln α-1 - α·ln 9 - ln λ + 8λ) with λ = 1/8, α - 1 = 1/ln 9.
    ratio = 4 * (-np.log(np.log(9)) - 1 - np.log(9) + np.log(8) + 1)
    found = report.comparisons["exponential"].log_likelihood_ratio
    assert found == pytest.approx(ratio, rel=1e-12)
    assert json.loads(report.to_json())["comparisons"]["lognormal"] is None


@pytest.mark.spec("PL-19")
def test_a_power_law_fitted_to_an_edge_is_warned_of():
    report = examine_sample(MARCHENKO_PASTUR, "gaussian matrix", TEXT)
    assert report.extreme_value.verdict == "bounded edge"
    assert any("extreme-value index -0." in text for text in report.warnings)
    # The fit itself is not changed.
    assert report.fit.alpha == fit_power_law(MARCHENKO_PASTUR).alpha


@pytest.mark.spec("PL-17")
def test_whole_numbers_are_fitted_with_a_warning():
    report = examine_sample(np.round(100 * PARETO), "counts")
    assert report.warnings[0] == "all values are whole numbers; they are fitted as continuous"


@pytest.mark.spec("PL-8")
def test_a_short_tail_is_warned_of():
    report = examine_sample([1.0, 2.5, 4.0], "three")
    assert any(f"a tail of {report.fit.tail_size} " in text for text in report.warnings)


@pytest.mark.spec("PL-17")
def test_a_sample_too_small_for_an_index_has_none():
    assert examine_sample([1.0, 2.5], "two", TEXT).extreme_value is None


@pytest.mark.spec("CNV-21")
@pytest.mark.parametrize("fields", [{"xmin": "median", "xmin_position": 2}, {"xmin": 1.5}])
def test_the_rule_that_chose_xmin_is_stated(fields):
    report = examine_sample(PARETO, "pareto", TEXT.override(fields))
    assert report.convention.xmin == fields["xmin"]
    assert report.fit.xmin == fit_power_law(PARETO, xmin=fields["xmin"]).xmin


@pytest.mark.spec("PL-73")
@pytest.mark.parametrize(
    "convention",
    [
        SDM2020.override({"xmin": "median", "xmin_position": 2}),
        SDM2020.override({"estimator": "bounded-mle"}),
        TEXT.override({"clip_fingers": 3}),
        CONVENTIONS["weightwatcher-0.7.7"],
        CONVENTIONS["setol"],
    ],
)
def test_random_choices_that_do_not_go_with_the_fit_are_refused(convention):
    for asked, what in (({"gof": 10}, "goodness-of-fit test"), ({"replicas": 10}, "bootstrap")):
        with pytest.raises(ConventionError, match=f"the {what} repeats only .*PL-73"):
            examine_sample(PARETO, "pareto", convention, **asked)


@pytest.mark.spec("PL-46")
def test_a_given_threshold_has_no_interval():
    given = examine_sample(PARETO, "pareto", TEXT.override({"xmin": 1.5}), replicas=10)
    assert given.alpha_bootstrap95 is not None
    assert given.xmin_bootstrap95 is None


def test_a_sample_without_a_fit_is_refused():
    with pytest.raises(NoFitError, match="all 3 positive values are equal"):
        examine_sample([2.0, 2.0, 2.0], "equal", TEXT)
    with pytest.raises(NoFitError, match="drop_smallest = 1 leaves no eigenvalue to fit"):
        examine_sample([2.0], "one")


@pytest.mark.spec("RPT-1")
def test_json_is_valid_and_holds_every_number():
    report = examine_sample(PARETO, "pareto", compare=True, gof=10, replicas=10)
    found = json.loads(report.to_json(), parse_constant=pytest.fail)
    assert found["alpha"] == report.fit.alpha
    assert found["comparisons"]["lognormal"]["test"] == "vuong"
    assert found["extreme_value"]["verdict"] == "heavy tail"


@pytest.mark.spec("PL-55")
def test_the_likelihood_is_that_of_the_tail():
    report = examine_law([0.5, 1.0, 2.0, 4.0], "three of four", "exponential", xmin=1.0)
    # The mean excess is 4/3: ln L = Σ (ln λ - λ(x - 1)) = 3 ln(3/4) - 3.
    assert report.fit.law == Exponential(0.75, 1.0)
    assert report.log_likelihood == pytest.approx(3 * math.log(0.75) - 3, rel=1e-14)


@pytest.mark.spec("PL-17")
def test_the_report_of_a_law_holds_the_fit_alone():
    found = json.loads(examine_law(PARETO, "pareto", "lognormal", xmin=1.5).to_json())
    assert found.keys() == {
        "spec_version",
        "tool",
        "name",
        "sample_size",
        "ks",
        "xmin_rule",
        "law",
        "parameters",
        "stderr",
        "xmin",
        "tail_size",
        "ks_distance",
        "log_likelihood",
        "warnings",
    }
