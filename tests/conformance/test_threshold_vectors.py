"""Rules for xmin, fingers and large samples against spec/vectors/thr.json, one test a case."""

from typing import Any

import pytest
from conformance.test_vectors import cases, check

from htsr_ref.powerlaw import TailFit, fit_power_law
from htsr_ref.powerlaw.fingers import clip_fingers

Json = Any


def compute_fit(given: Json) -> Json:
    sample = given["sample"]
    if isinstance(sample, dict):
        sample = [float(sample["numerator"] // i) for i in range(1, sample["count"] + 1)]
    return written(fit_power_law(sample, ks=given["ks"], xmin=given["xmin"]))


def compute_clipped(given: Json) -> Json:
    found = clip_fingers(given["sample"], max_fingers=given["most"], ks=given["ks"])
    return written(found) | {"clipped": len(given["sample"]) - found.sample_size}


def written(fit: TailFit) -> Json:
    keys = ("alpha", "xmin", "tail_size", "sample_size", "ks_distance")
    return {key: getattr(fit, key) for key in keys}


@pytest.mark.spec("PL-12")
@cases("thr", "thr/median/")
def test_median(case):
    check("thr", case, compute_fit)


@pytest.mark.spec("PL-13")
@cases("thr", "thr/peak")
def test_peak(case):
    check("thr", case, compute_fit)


@pytest.mark.spec("PL-14")
@cases("thr", "thr/grid/")
def test_grid(case):
    check("thr", case, compute_fit)


@pytest.mark.spec("PL-2", "PL-3", "PL-5", "PL-12")
@cases("thr", "thr/large/")
def test_large_samples(case):
    check("thr", case, compute_fit)


@pytest.mark.spec("PL-15")
@cases("thr", "thr/fingers/")
def test_fingers(case):
    check("thr", case, compute_clipped)
