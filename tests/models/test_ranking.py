"""Ordering models by the Universal metric."""

from dataclasses import replace

import numpy as np
import pytest

from htsr_ref import HtsrError, Report, analyze
from htsr_ref.conventions import SDM2020
from htsr_ref.models.ranking import rank_reports

pytestmark = pytest.mark.spec("MET-13")


def model(name: str, alpha_hat: float | None) -> Report:
    report = analyze({"fc": np.eye(3)})
    return replace(
        report,
        source=replace(report.source, name=name),
        model=replace(report.model, alpha_hat=alpha_hat),
    )


def test_the_smallest_comes_first_undefined_ones_last_and_equal_ones_stay():
    given = [("a", 2.5), ("b", None), ("c", -1.0), ("d", 2.5), ("e", None), ("f", 0.0)]
    ranked = rank_reports([model(*item) for item in given])
    assert [report.source.name for report in ranked] == ["c", "f", "a", "d", "b", "e"]


def test_different_conventions_are_not_ranked_together():
    other = analyze({"fc": np.eye(3)}, SDM2020.override({"ks": "two-sided"}))
    with pytest.raises(HtsrError, match="different conventions"):
        rank_reports([model("a", 1.0), other])


def test_a_choice_that_is_spelt_out_is_no_other_convention():
    same = analyze({"fc": np.eye(3)}, SDM2020.override({"ks": "one-sided"}))
    assert len(rank_reports([model("a", 1.0), same])) == 2
