"""Differences between reports: closed forms, order, partners."""

import math

import numpy as np
import pytest
from builders import gaussian, power_law_matrix

from htsr_ref import HtsrError, analyze
from htsr_ref.conventions import SDM2020_TEXT
from htsr_ref.models.difference import Change, change, compare_reports, relative


@pytest.mark.spec("AUD-21", "AUD-22")
def test_scaling_changes_norms_by_known_amounts():
    before = {"a": power_law_matrix(2.5), "b": gaussian(12, 8), "c": gaussian(9, 8)}
    after = {"a": before["a"], "b": 3 * before["b"], "c": 1.5 * before["c"]}
    found = compare_reports(analyze(before), analyze(after))
    assert [layer.name for layer in found.layers] == ["b", "c", "a"]
    assert [layer.change for layer in found.layers] == pytest.approx([1 - 1 / 9, 1 - 1 / 2.25, 0])
    numbers = found.layers[0].numbers
    assert numbers["log10_frobenius_norm"].difference == pytest.approx(math.log10(3))
    assert numbers["lambda_max"].after == pytest.approx(9 * numbers["lambda_max"].before)
    assert numbers["alpha"].difference == pytest.approx(0, abs=1e-12)
    assert not found.identical
    mean = found.model["mean_log10_spectral_norm"]
    assert mean.difference == pytest.approx(math.log10(3 * 1.5) / 3)


@pytest.mark.spec("AUD-22")
def test_a_model_is_identical_to_itself_under_any_name():
    arrays = {"a": gaussian(12, 8), "zero": np.zeros((6, 5))}
    assert compare_reports(analyze(arrays), analyze(arrays)).identical
    renamed = {f"net.{name}": W for name, W in arrays.items()}
    found = compare_reports(analyze(arrays), analyze(renamed))
    assert found.identical
    assert {layer.matched_by for layer in found.layers} == {"shape"}


@pytest.mark.spec("AUD-20")
def test_shapes_tell_partners_apart():
    before = {"a": gaussian(12, 8), "b": gaussian(12, 8), "c": gaussian(9, 8)}
    after = {"a": gaussian(11, 8), "b": before["b"], "d": before["c"]}
    found = compare_reports(analyze(before), analyze(after))
    assert {(x.name, x.other_name) for x in found.layers} == {("b", "b"), ("c", "d")}
    assert (found.only_before, found.only_after) == (("a",), ("a",))
    assert not found.identical


@pytest.mark.spec("AUD-20")
def test_what_cannot_be_compared_is_refused():
    arrays = {"a": gaussian(12, 8)}
    with pytest.raises(HtsrError, match="different conventions"):
        compare_reports(
            analyze(arrays), analyze(arrays, SDM2020_TEXT.override({"ks": "one-sided"}))
        )
    with pytest.raises(HtsrError, match="no layer in common"):
        compare_reports(analyze(arrays), analyze({"b": gaussian(5, 4)}))


@pytest.mark.spec("AUD-21")
def test_undefined_numbers():
    assert relative(None, None) == relative(0.0, 0.0) == 0.0
    assert relative(None, 1.0) == relative(1.0, None) == relative(0.0, 2.0) == 1.0
    assert relative(1.0, 4.0) == relative(4.0, 1.0) == 0.75


@pytest.mark.spec("AUD-21")
@pytest.mark.parametrize(("before", "after"), [(None, 1.0), (1.0, None), (None, None)])
def test_what_is_undefined_on_one_side_has_no_difference(before, after):
    assert change(before, after) == Change(before, after, None)
