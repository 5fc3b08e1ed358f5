"""TRD-13, TRD-14: checkpoints in their order, and whether numbers rise or fall."""

import csv
import io
import json
import statistics
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from model_reports import model
from scipy import stats

import htsr_ref
from htsr_ref.models.rank_correlation import tau_b_range
from htsr_ref.runs.checkpoint import Checkpoint
from htsr_ref.runs.course_forms import course_blocks
from htsr_ref.text.sparklines import LONGEST, series


@pytest.mark.spec("TRD-14")
@given(st.permutations(range(8)), st.integers(0, 3))
def test_tau_is_that_of_number_and_step(values, noisy):
    steps = [10 * i for i in range(8)]
    reports = [
        model(f"step-{step}", float(value), verdict="random-like" if i < noisy else "power law")
        for i, (step, value) in enumerate(zip(steps, values, strict=True))
    ]
    course = htsr_ref.over_time(reports[::-1])
    assert [point.step for point in course.points] == steps
    drift = course.drifts["alpha_hat"]
    x, y = steps[noisy:], values[noisy:]
    assert drift.points == 8 - noisy
    assert drift.kendall == pytest.approx(stats.kendalltau(x, y).statistic, abs=1e-12)
    left_out = [
        stats.kendalltau(x[:i] + x[i + 1 :], y[:i] + y[i + 1 :]).statistic for i in range(len(x))
    ]
    assert drift.kendall_range == pytest.approx((min(left_out), max(left_out)), abs=1e-12)
    assert course.drifts["mean_log10_frobenius_norm"].null_reason.startswith("the number is the")
    assert course.drifts["random_like_share"].points == 8
    whole = htsr_ref.over_time(reports, everything=True).drifts["alpha_hat"]
    assert whole.kendall == pytest.approx(stats.kendalltau(steps, values).statistic, abs=1e-12)


@pytest.mark.spec("TRD-6")
@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=3, max_size=9))
def test_range_of_tau_with_one_left_out(pairs):
    x, y = np.array(pairs, dtype=np.float64).T
    found = tau_b_range(x, y)
    with np.errstate(all="ignore"):
        taus = [stats.kendalltau(np.delete(x, i), np.delete(y, i)).statistic for i in range(x.size)]
    if any(map(np.isnan, taus)):
        assert found is None
    else:
        assert found == pytest.approx((min(taus), max(taus)), abs=1e-12)


@pytest.mark.spec("TRD-14")
def test_too_few_checkpoints_and_equal_steps():
    course = htsr_ref.over_time([model("1", 1.0), model("2", 2.0)])
    assert course.drifts["alpha_hat"].kendall is None
    assert "–: fewer than 3 checkpoints" in str(course)
    course = htsr_ref.over_time([model(f"{name}/step-1", 1.0 * i) for i, name in enumerate("abc")])
    assert course.drifts["alpha_hat"].null_reason == "the step is the same for all checkpoints"
    assert "Several checkpoints state the same step" in str(course)
    with pytest.raises(htsr_ref.HtsrError, match="no model"):
        htsr_ref.over_time({})


@pytest.mark.spec("TRD-13")
def test_forms_hold_the_same_numbers():
    reports = [model(f"step-{i}.npz", i / 7, norm=0.1 * i, stderr=0.25) for i in (3, 1, 2)]
    course = htsr_ref.over_time(reports)
    data = json.loads(course.to_json())
    rows = list(csv.DictReader(io.StringIO(course.to_csv())))
    assert [point["step"] for point in data["points"]] == [1, 2, 3]
    for point, row in zip(data["points"], rows, strict=True):
        assert point["measures"]["alpha_hat"] == float(row["alpha_hat"]) == point["step"] / 7
        assert point["standing"]["alpha_hat_stderr"] == float(row["alpha_hat_stderr"])
        assert (row["checkpoint"], row["random_like_share"]) == (point["name"], "0.0")
    assert "changed" not in course.to_json()
    assert data["order"] == "step"
    table = str(course)
    assert table.splitlines()[4].split() == [
        *("step-3.npz", "3", "0.429", "0.250"),
        *(f"{reports[0].model.mean_alpha:.3f}", "0.300"),
        f"{reports[0].model.mean_log10_spectral_norm:.3f}",
        *("0", "of", "1"),
    ]
    assert "| step-3.npz | 3 | 0.429 |" in course.to_markdown()
    with pytest.raises(htsr_ref.HtsrError, match="different conventions"):
        htsr_ref.over_time([reports[0], htsr_ref.analyze({"a": np.eye(60)}, "weightwatcher")])


@pytest.mark.spec("WCH-4")
@given(st.lists(st.none() | st.integers(-50, 50), min_size=1, max_size=40))
def test_lines_of_blocks_rise_and_fall_as_the_numbers_do(values):
    line = series([None if value is None else float(value) for value in values])
    known = [value for value in values if value is not None]
    if not known:
        assert line == ""
        return
    assert len(line) == min(len(values), LONGEST)
    size, more = divmod(len(values), len(line))
    ends = np.cumsum([0, *(size + (i < more) for i in range(len(line)))])
    groups = [[v for v in values[a:b] if v is not None] for a, b in pairwise(ends)]
    means = [statistics.fmean(group) if group else None for group in groups]
    there = [mean for mean in means if mean is not None]
    low, high = min(there), max(there)
    for mean, block in zip(means, line, strict=True):
        if mean is None:
            assert block == " "
        elif low == high:
            assert block == "▅"
        elif mean == low:
            assert block == "▁"
        elif mean == high:
            assert block == "█"
    shown = [(mean, block) for mean, block in zip(means, line, strict=True) if mean is not None]
    assert [block for _, block in sorted(shown)] == sorted(block for _, block in shown)


@pytest.mark.spec("WCH-4")
@pytest.mark.parametrize(("rows", "shown"), [(0, 0), (2, 2), (5, 5), (8, 5), (None, 5)])
def test_the_last_checkpoints_are_shown(rows, shown):
    course = htsr_ref.over_time([model(f"step-{i}", float(i)) for i in range(5)])
    table = course_blocks(course, rows)[0]
    assert [row[0] for row in table.rows] == [f"step-{i}" for i in range(5 - shown, 5)]


def test_a_checkpoint_says_what_it_is():
    report = htsr_ref.analyze({"fc": np.eye(3)})
    made = [Checkpoint(name, step, None, report) for name, step in (("a-3", 3), ("last", None))]
    assert list(map(repr, made)) == ["<Checkpoint 'a-3', step 3>", "<Checkpoint 'last'>"]
