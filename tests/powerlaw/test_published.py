"""The figures that Clauset, Shalizi & Newman printed for four of their data sets."""

import csv
from pathlib import Path

import numpy as np
import pytest

from htsr_ref.powerlaw import fit_power_law

FOLDER = Path(__file__).parents[2] / "spec" / "published" / "clauset2009"
with (FOLDER / "table.csv").open(encoding="utf-8") as file:
    TABLE = {row["data"]: row for row in csv.DictReader(file)}


def sample(name: str) -> np.ndarray:
    return np.loadtxt(FOLDER / f"{name}.txt")


def as_printed(value: float, printed: str) -> str:
    """Write a value with as many decimals as the printed one."""
    return f"{value:.{len(printed.partition('.')[2])}f}"


@pytest.mark.parametrize("name", TABLE)
def test_the_data_are_those_of_the_table(name):
    row, x = TABLE[name], sample(name)
    unit = float(row["unit_of_printed_values"])
    assert x.size == int(row["n"])
    for column, value in [("mean", x.mean()), ("std", x.std(ddof=1)), ("max", x.max())]:
        assert as_printed(value / unit, row[column]) == row[column], column


@pytest.mark.spec("PL-2", "PL-3", "PL-4")
@pytest.mark.parametrize("name", TABLE)
def test_one_sided_distance_gives_the_printed_fit(name):
    row = TABLE[name]
    fit = fit_power_law(sample(name), ks="one-sided")
    assert fit.tail_size == int(row["n_tail"])
    assert as_printed(fit.alpha, row["alpha"]) == row["alpha"]
    assert as_printed(fit.xmin / float(row["unit_of_printed_values"]), row["xmin"]) == row["xmin"]


@pytest.mark.spec("PL-3", "PL-4")
@pytest.mark.parametrize("name", ["blackouts", "flares", "surnames"])
def test_two_sided_distance_agrees_on_three(name):
    one_sided = fit_power_law(sample(name), ks="one-sided")
    two_sided = fit_power_law(sample(name), ks="two-sided")
    assert (two_sided.xmin, two_sided.alpha) == (one_sided.xmin, one_sided.alpha)


@pytest.mark.spec("PL-3", "PL-4")
def test_two_sided_distance_moves_the_threshold_of_cities():
    fit = fit_power_law(sample("cities"), ks="two-sided")
    assert (fit.xmin, fit.tail_size) == (52_648, 576)
    assert round(fit.alpha, 4) == 2.3673
