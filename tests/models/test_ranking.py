"""Ordering models by the Universal metric, and which of them can be compared."""

import math
from dataclasses import replace

import numpy as np
import pytest
from builders import gaussian, power_law_matrix
from hypothesis import given
from hypothesis import strategies as st
from model_reports import model

from htsr_ref import HtsrError, analyze
from htsr_ref.conventions import SDM2020
from htsr_ref.models.ranking import rank_reports


def names(ranked):
    return [one.report.source.name for one in ranked]


@pytest.mark.spec("MET-13")
def test_the_smallest_comes_first_undefined_ones_last_and_equal_ones_stay():
    given = [("a", 2.5), ("b", None), ("c", -1.0), ("d", 2.5), ("e", None), ("f", 0.0)]
    ranking = rank_reports([model(*item) for item in given])
    assert names(ranking.models) == ["c", "f", "a", "d", "b", "e"]
    assert [one.rank for one in ranking.models] == [1, 2, 3, 4, 5, 6]


@pytest.mark.spec("MET-13")
def test_different_conventions_are_not_ranked_together():
    other = analyze({"fc": np.eye(3)}, SDM2020.override({"ks": "two-sided"}))
    with pytest.raises(HtsrError, match="different conventions"):
        rank_reports([model("a", 1.0), other])


@pytest.mark.spec("MET-13")
def test_a_choice_that_is_spelt_out_is_no_other_convention():
    same = analyze({"fc": np.eye(3)}, SDM2020.override({"ks": "one-sided"}))
    assert len(rank_reports([model("a", 1.0), same]).models) == 2


numbers = st.integers(-40, 40).map(lambda n: n / 8)
within = st.integers(-20, 20).map(lambda n: n / 100)
"""Distances of log10 ‖W‖_F from a series' median, as the published ones reach."""


@st.composite
def models(draw, least=1, most=6):
    """Models of a series with power laws, whose norms reach at most .20 from a common value."""
    found = draw(st.lists(st.tuples(numbers, within), min_size=least, max_size=most))
    middle = draw(numbers)
    return [
        model(f"m{place}", alpha_hat, norm=middle + norm)
        for place, (alpha_hat, norm) in enumerate(found)
    ]


@pytest.mark.spec("VRD-13")
@given(models(), st.lists(st.tuples(numbers, numbers), max_size=4), st.randoms())
def test_noise_changes_neither_the_order_nor_who_stands_apart(series, noise, random):
    loud = [
        model(f"noise{place}", alpha_hat - 100, norm=norm, verdict="random-like")
        for place, (alpha_hat, norm) in enumerate(noise)
    ]
    alone = rank_reports(series)
    places = sorted(random.sample(range(len(series) + len(loud)), len(loud)))
    mixed = list(series)
    for place, one in zip(places, loud, strict=True):
        mixed.insert(place, one)
    together = rank_reports(mixed)
    assert names(together.models) == names(alone.models)
    assert {name for name in names(together.apart) if name.startswith("m")} == set(
        names(alone.apart)
    )
    assert [one.near_best for one in together.models] == [one.near_best for one in alone.models]
    for one in together.apart:
        if one.report.source.name.startswith("noise"):
            assert one.apart == "1 of 1 matrix is random-like"
    everyone = rank_reports(mixed, everything=True)
    assert len(everyone.models) == len(mixed)
    assert everyone.apart == ()


@pytest.mark.spec("VRD-14", "MET-12")
@given(
    models(least=3, most=7),
    st.data(),
    st.one_of(st.floats(math.log10(8), 6), st.floats(-6, -math.log10(8))),
)
def test_a_model_of_another_scale_stands_apart_and_no_other(series, data, shift):
    """‖W‖_F of 8 times the weights, or an eighth of them, moves by 0.903; see MET-12."""
    assert rank_reports(series).apart == ()
    place = data.draw(st.integers(0, len(series) - 1))
    norm = series[place].model.mean_log10_frobenius_norm + shift
    moved = replace(
        series[place], model=replace(series[place].model, mean_log10_frobenius_norm=norm)
    )
    ranking = rank_reports([*series[:place], moved, *series[place + 1 :]])
    assert names(ranking.apart) == [f"m{place}"]
    assert ("above" if shift > 0 else "below") in ranking.apart[0].apart


@pytest.mark.spec("VRD-14")
def test_the_scale_of_weights_moves_a_model_apart():
    """The same on weights: three nets with power laws, one of them times 8."""
    W = [power_law_matrix(alpha, n=120) for alpha in (1.9, 2.0, 2.1)]
    norms = [np.log10(np.linalg.norm(one)) for one in W]
    assert max(norms) - min(norms) < 0.4
    reports = [analyze({"fc": one}) for one in W]
    assert {one.layers[0].matrices[0].verdict.name for one in reports} == {"power law"}
    assert rank_reports(reports).apart == ()
    for factor in (8.0, 0.125):
        (apart,) = rank_reports([*reports[:2], analyze({"fc": factor * W[2]})]).apart
        assert apart.report.model.mean_log10_frobenius_norm == pytest.approx(
            norms[2] + np.log10(factor)
        )


@pytest.mark.spec("VRD-14")
def test_two_models_with_a_power_law_give_no_median():
    series = [
        model("a", norm=0.0),
        model("b", norm=9.0),
        model("c", norm=-9.0, verdict="undecided"),
    ]
    assert rank_reports(series).apart == ()
    further = [*series, model("d", norm=0.1)]
    assert names(rank_reports(further).apart) == ["b", "c"]
    limit = [model("a"), model("b"), model("c"), model("d", norm=0.5), model("e", norm=0.51)]
    assert names(rank_reports(limit).apart) == ["e"]


@pytest.mark.spec("VRD-13", "VRD-15")
@given(models(), st.randoms())
def test_the_order_of_files_does_not_matter(series, random):
    """But for models that are equal, which keep the order given."""
    shuffled = random.sample(series, len(series))
    before, after = rank_reports(series), rank_reports(shuffled)
    assert [one.report.model.alpha_hat for one in before.models] == [
        one.report.model.alpha_hat for one in after.models
    ]
    assert set(names(before.apart)) == set(names(after.apart))
    assert before.notes == after.notes


@pytest.mark.spec("VRD-15")
def test_near_the_best_within_1_96_errors_of_the_difference():
    """Errors 3 and 4 give 5 for the difference: 1.96·5 = 9.8."""
    best = model("best", 0.0, stderr=3.0)
    others = [model("near", 9.79, stderr=4.0), model("far", 9.81, stderr=4.0)]
    ranking = rank_reports([*others, best])
    assert [(one.report.source.name, one.near_best) for one in ranking.models] == [
        ("best", False),
        ("near", True),
        ("far", False),
    ]
    exact = rank_reports([model("a", 1.0), model("b", 1.0), model("c", 1.1), model("d", None)])
    assert [one.near_best for one in exact.models] == [False, True, False, False]


@pytest.mark.spec("VRD-16")
def test_size_makes_a_series_and_kind_a_note():
    small = {"features.0": gaussian(30, 20), "features.1": gaussian(30, 20)}
    large = {f"features.{place}": gaussian(40, 30) for place in range(5)}
    headed = large | {"head": gaussian(25, 21)}
    other = {"blocks.0.q": gaussian(30, 20)}
    kernels = {"features.0": np.ones((60, 50, 3, 3)), "features.1": np.ones((60, 50, 3, 3))}

    def notes(*networks):
        return rank_reports([analyze(one) for one in networks], everything=True).notes

    assert notes(small, large) == notes(small, headed, large) == ()
    for strange in (other, kernels):
        (note,) = notes(small, strange)
        assert "differ in the kind of their layers" in note
    assert notes(small) == ("an order needs at least two models that can be compared",)
