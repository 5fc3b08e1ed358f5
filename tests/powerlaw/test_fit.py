"""Fitting a sample: what is accepted, what is refused, and the result."""

import math

import numpy as np
import pytest
import reference
from hypothesis import assume, given
from hypothesis import strategies as st
from strategies import distinct_samples, positive_samples

from htsr_ref.errors import HtsrError
from htsr_ref.powerlaw import NoFitError, SampleError, fit_power_law
from htsr_ref.powerlaw.laws import fit_law

KINDS = ["two-sided", "one-sided"]


def pareto_quantiles(n: int) -> np.ndarray:
    return (1 - (np.arange(1, n + 1) - 0.5) / n) ** (-1 / 1.5)


@pytest.mark.spec("PL-2", "PL-4")
@pytest.mark.parametrize(("n", "rounded"), [(128, 2.5100), (512, 2.5025)])
def test_quantiles_of_a_power_law_are_fitted_whole(n, rounded):
    # Σ ln(1 - (i-½)/n) over all i is a ratio of Gamma functions.
    logs = (n * math.log(n) - math.lgamma(n + 0.5) + math.lgamma(0.5)) / 1.5
    exact = 1 + n / (logs + n * math.log(1 - 0.5 / n) / 1.5)
    fit = fit_power_law(pareto_quantiles(n))
    assert fit.alpha == pytest.approx(exact, rel=1e-12)
    assert round(fit.alpha, 4) == rounded
    assert (fit.tail_size, fit.sample_size) == (n, n)


@pytest.mark.spec("PL-2", "PL-3")
@pytest.mark.parametrize("ks", KINDS)
@given(positive_samples, st.data())
def test_exponent_and_distance_of_any_tail_follow_their_definitions(ks, sample, data):
    candidates = np.unique(sample)[:-1].tolist()
    tail = reference.fit_tail(sample, data.draw(st.sampled_from(candidates)))
    fit = fit_power_law(sample, ks=ks, xmin=tail.xmin)
    assert fit.tail_size == tail.size
    assert fit.alpha == pytest.approx(float(tail.alpha), rel=1e-12)
    assert fit.ks_distance == pytest.approx(float(tail.distance(ks)), abs=1e-12)


@pytest.mark.spec("PL-3")
def test_the_distance_defaults_to_two_sided_and_is_named():
    assert fit_power_law([1.0, 2.0, 4.0]).ks == "two-sided"
    assert fit_power_law([1.0, 2.0, 4.0], ks="one-sided").ks == "one-sided"


@pytest.mark.spec("PL-3", "PL-4")
def test_the_two_distances_can_choose_different_thresholds():
    # Two-sided, the tail {3, 4} has D >= 1/2, as every tail of two; one-sided it has 0.36.
    two_sided = fit_power_law([1.0, 3.0, 4.0], ks="two-sided")
    one_sided = fit_power_law([1.0, 3.0, 4.0], ks="one-sided")
    assert (two_sided.xmin, one_sided.xmin) == (1, 3)
    assert two_sided.alpha == pytest.approx(1 + 3 / math.log(12), rel=1e-14)
    assert one_sided.alpha == pytest.approx(1 + 2 / math.log(4 / 3), rel=1e-14)


@pytest.mark.spec("PL-4", "PL-11")
def test_the_smallest_of_equally_good_thresholds_wins_in_a_large_sample():
    # Half of all points lie at 1, the rest but one in a cluster: D = 1/2 at 1, and (n-1)/n for a
    # tail of n points that begins in the cluster. The tail of two has D = 1/2 as well.
    logs = np.concatenate((np.zeros(100), 100 + 1e-6 * np.arange(99), [105.0]))
    tail_of_two = fit_power_law(np.exp(logs), xmin=float(np.exp(logs)[-2]))
    fit = fit_power_law(np.exp(logs))
    assert fit.ks_distance == tail_of_two.ks_distance == 0.5
    assert (fit.xmin, fit.tail_size) == (1, 200)


@pytest.mark.spec("PL-5")
def test_a_given_threshold_need_not_be_a_point():
    fit = fit_power_law([8.0, 1.0, 4.0, 2.0], xmin=1.5)
    assert fit.alpha == pytest.approx(1 + 3 / math.log(2 * 4 * 8 / 1.5**3), rel=1e-14)
    assert (fit.xmin, fit.tail_size, fit.sample_size) == (1.5, 3, 4)


@pytest.mark.spec("PL-5")
def test_a_given_threshold_takes_all_points_tied_with_it():
    fit = fit_power_law([1.0, 2.0, 2.0, 2.0, 2 * math.e], xmin=2.0)
    assert fit.tail_size == 4
    assert fit.alpha == pytest.approx(5.0, rel=1e-14)


@pytest.mark.spec("PL-5")
@given(distinct_samples())
def test_the_threshold_found_and_given_back_changes_nothing(sample):
    found = fit_power_law(sample)
    given_back = fit_power_law(sample, xmin=found.xmin)
    assert given_back.tail_size == found.tail_size
    assert given_back.alpha == pytest.approx(found.alpha, rel=1e-12)
    assert given_back.ks_distance == pytest.approx(found.ks_distance, abs=1e-12)


@pytest.mark.spec("PL-5", "PL-9")
@pytest.mark.parametrize("xmin", [0.0, -1.0, math.nan, math.inf])
def test_a_threshold_that_is_no_positive_number_is_refused(xmin):
    with pytest.raises(SampleError, match=f"xmin is {xmin}"):
        fit_power_law([1.0, 2.0, 4.0], xmin=xmin)


@pytest.mark.spec("PL-6")
def test_standard_error_and_interval_come_from_the_tail():
    fit = fit_power_law([0.001] * 5 + [1.0, 2.0, 4.0, 8.0], xmin=1.0)
    stderr = (fit.alpha - 1) / 2
    assert fit.stderr == pytest.approx(stderr, rel=1e-14)
    assert fit.ci95 == pytest.approx(
        (fit.alpha - 1.959963984540054 * stderr, fit.alpha + 1.959963984540054 * stderr), rel=1e-14
    )


@pytest.mark.spec("PL-7")
@pytest.mark.parametrize(
    ("sample", "xmin", "reason"),
    [
        ([2.5], "ks", "one positive"),
        ([0.1] * 7, "ks", "all 7 positive .* equal"),
        ([1.0, 2.0, 4.0], 4.0, "above xmin = 4.0"),
        ([1.0, 2.0, 4.0], 5.0, "above xmin = 5.0"),
    ],
)
def test_a_sample_without_a_threshold_has_no_fit(sample, xmin, reason):
    with pytest.raises(NoFitError, match=reason):
        fit_power_law(sample, xmin=xmin)


@pytest.mark.spec("PL-9")
@pytest.mark.parametrize("bad", [0.0, -1.0, math.nan, math.inf, -math.inf])
def test_the_first_bad_value_is_named(bad):
    with pytest.raises(SampleError, match=rf"value 2 of the sample is {bad}\b"):
        fit_power_law([3.0, 1.0, bad, -7.0, 2.0])


@pytest.mark.spec("PL-9")
@pytest.mark.parametrize(
    ("sample", "problem"),
    [
        ([], "empty"),
        ([1.0, 2.0 + 1.0j], "complex128"),
        ([[1.0, 2.0], [3.0, 4.0]], r"shape \(2, 2\)"),
        (["1", "2"], "only real numbers"),
        ([True, False], "only real numbers"),
    ],
)
def test_what_is_not_a_list_of_real_numbers_is_refused(sample, problem):
    with pytest.raises(SampleError, match=problem):
        fit_power_law(sample)


def test_both_refusals_are_messages_for_people():
    assert issubclass(NoFitError, SampleError)
    assert issubclass(SampleError, HtsrError)


@pytest.mark.spec("PL-1")
@given(distinct_samples(), st.data())
def test_integers_and_narrow_floats_are_fitted_as_their_values(sample, data):
    narrow = (1 + 1000 * sample / sample.max()).astype(data.draw(st.sampled_from(["f2", "i4"])))
    assume(np.unique(narrow).size > 1)
    assert fit_power_law(narrow) == fit_power_law(narrow.astype(np.float64))


@pytest.mark.spec("PL-9")
def test_the_sample_is_left_as_it_was():
    sample = np.array([4.0, 1.0, 2.0])
    fit_power_law(sample)
    assert sample.tolist() == [4.0, 1.0, 2.0]


@pytest.mark.spec("PL-5")
@pytest.mark.parametrize("rule", ["fixed", "KS", ""])
def test_a_rule_that_there_is_not_is_refused(rule):
    for refused in (
        lambda: fit_power_law([1.0, 2.0, 4.0], xmin=rule),
        lambda: fit_law([1.0, 2.0, 4.0], "exponential", xmin=rule),
    ):
        with pytest.raises(SampleError, match=f"no rule xmin = '{rule}'. Give a number or one of"):
            refused()
