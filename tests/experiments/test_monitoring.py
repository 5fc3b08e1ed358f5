"""The tables of spec/experiments/monitoring.py, and what its page makes of them.

The training itself needs PyTorch and is not repeated.
"""

import csv
import math
import re

import numpy as np
import pytest
from monitoring import CHECKPOINTS, LABEL_NOISE, RUNS, SEEDS, TASKS, runs
from scipy.stats import kendalltau

PAGE = CHECKPOINTS.with_suffix(".md").read_text(encoding="utf-8")
SHOWN = ("alpha_hat", "alpha_hat_by_N", "alpha", "log_frobenius_norm")
NOISE = {"right": "0.0", "40 % random": "0.4"}


def table(path):
    with path.open(encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


ROWS, FOUND = table(CHECKPOINTS), table(RUNS)


def column(metric, name, **wanted):
    """Numbers of the runs for one metric."""
    return [
        float(row[name])
        for row in FOUND
        if row["metric"] == metric and all(row[key] == value for key, value in wanted.items())
    ]


def last(metric, noise):
    return np.array(
        [float(r[metric]) for r in ROWS if r["label_noise"] == noise and r["epoch"] == "50"]
    )


def test_runs_are_complete():
    assert len(ROWS) == len(TASKS) * len(LABEL_NOISE) * len(SEEDS) * 51
    assert [{k: str(v) for k, v in row.items()} for row in runs(ROWS)] == FOUND


def test_correlations_are_scipys():
    for row in FOUND[::5]:
        run = [r for r in ROWS if all(r[k] == row[k] for k in ("network", "label_noise", "seed"))]
        accuracy = [float(r["test_accuracy"]) for r in run]
        x = [float(r[row["metric"]]) for r in run]
        best = accuracy.index(max(accuracy))
        for name, part in (("tau", slice(None)), ("tau_rise", slice(best + 1))):
            tau = kendalltau(x[part], accuracy[part]).statistic
            assert row[name] == "" if math.isnan(tau) else abs(float(row[name]) - tau) < 6e-4


@pytest.mark.parametrize(
    ("heading", "name"),
    [("up to the best epoch", "tau_rise"), ("from the best epoch on", "tau_fall")],
)
def test_correlations_of_the_page(heading, name):
    section = PAGE.split(f"| {heading} |")[1].split("\n\n")[0]
    rows = [line.strip("| ").split(" | ") for line in re.findall(r"^\| [a-z].*", section, re.M)]
    assert len(rows) == len(TASKS) * len(LABEL_NOISE)
    for network, labels, *cells in rows:
        for metric, cell in zip(SHOWN, cells, strict=True):
            values = column(metric, name, network=network, label_noise=NOISE[labels])
            printed = [float(text.replace("−", "-")) for text in cell.split(" to ")]
            assert printed == pytest.approx([min(values), max(values)], abs=5.1e-3)


def test_counts_of_the_page():
    rising = {metric: sum(v > 0 for v in column(metric, "tau_rise")) for metric in SHOWN}
    assert tuple(rising.values()) == (15, 18, 0, 18)
    falling = [
        sum(v < 0 for v in column(metric, "tau_fall", label_noise="0.4")) for metric in SHOWN
    ]
    assert falling == [9, 6, 7, 9]
    larger = [int(np.sum(last(m, "0.4") > last(m, "0.0"))) for m in SHOWN]
    assert larger == [9, 4, 8, 9]
    lower = last("test_accuracy", "0.0") - last("test_accuracy", "0.4")
    assert (lower.min(), lower.max()) == pytest.approx((0.26, 0.36), abs=5e-3)


def test_chosen_checkpoints_of_the_page():
    chosen = {metric: column(metric, "chosen_epoch") for metric in SHOWN}
    assert (chosen["alpha_hat"].count(0), max(chosen["alpha_hat"])) == (12, 14)
    exception = {"network": "transformer", "label_noise": "0.4"}
    pairs = [column("alpha_hat", name, **exception) for name in ("chosen_epoch", "best_epoch")]
    assert sorted(zip(*pairs, strict=True)) == [(1, 17), (11, 13), (14, 16)]
    assert max(chosen["alpha_hat_by_N"]) == 1
    assert set(chosen["log_frobenius_norm"]) == {0}
    lost = {
        metric: np.subtract(column(metric, "best_accuracy"), column(metric, "chosen_accuracy"))
        for metric in ("alpha_hat", "alpha")
    }
    means = (lost["alpha_hat"].mean(), lost["alpha"].mean())
    assert means == pytest.approx((0.50, 0.08), abs=5e-3)
    noisy = {"network": "convolutional", "label_noise": "0.4"}
    worst = np.subtract(
        column("alpha", "best_accuracy", **noisy), column("alpha", "chosen_accuracy", **noisy)
    )
    assert (worst.min(), worst.max()) == pytest.approx((0.24, 0.28), abs=5e-3)


def test_falls_of_the_accuracy():
    for noise, expected in (("0.0", (0.00, 0.03)), ("0.4", (0.06, 0.24))):
        lost = np.subtract(
            column("alpha", "best_accuracy", label_noise=noise),
            column("alpha", "last_accuracy", label_noise=noise),
        )
        assert (lost.min(), lost.max()) == pytest.approx(expected, abs=5e-3)


def test_random_like_shares():
    shares = {
        epoch: {
            (network, noise): [
                float(r["random_like_share"])
                for r in ROWS
                if (r["network"], r["label_noise"], r["epoch"]) == (network, noise, epoch)
            ]
            for network in ("perceptron", "convolutional", "transformer")
            for noise in NOISE.values()
        }
        for epoch in ("0", "1", "50")
    }
    assert {v for values in shares["0"].values() for v in values} == {1.0}
    assert shares["1"]["perceptron", "0.0"] == shares["1"]["convolutional", "0.0"] == [0.0] * 3
    back = shares["50"].pop(("perceptron", "0.4"))
    assert (min(back), max(back)) == pytest.approx((0.33, 0.50), abs=5e-3)
    assert max(v for values in shares["50"].values() for v in values) <= 0.17


def test_what_was_initialized():
    alphas = [float(r["alpha"]) for r in ROWS if r["epoch"] == "0"]
    assert (min(alphas), max(alphas)) == pytest.approx((6.0, 9.4), abs=5e-2)
    fitted = [
        float(r["train_accuracy"])
        for r in ROWS
        if (r["network"], r["label_noise"], r["epoch"]) == ("perceptron", "0.4", "50")
    ]
    assert np.mean(fitted) == pytest.approx(0.89, abs=5e-3)
