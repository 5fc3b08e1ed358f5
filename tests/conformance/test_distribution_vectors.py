"""The laws of a tail against the golden vectors of spec/vectors/dst.json, one test a case."""

from typing import Any

import numpy as np
import pytest
from conformance.test_vectors import cases, check

from htsr_ref.powerlaw.comparison import compare
from htsr_ref.powerlaw.distributions import DISTRIBUTIONS
from htsr_ref.powerlaw.distributions.tail import log_ratio
from htsr_ref.powerlaw.estimators import alpha_unbiased
from htsr_ref.powerlaw.incomplete_gamma import log_scaled_expint

Json = Any


def compute_density(given: Json) -> Json:
    law = DISTRIBUTIONS[given["law"]](**given["parameters"])
    functions = {"logpdf": law.logpdf, "cdf": law.cdf}
    return {name: function(given["points"]).tolist() for name, function in functions.items()}


def compute_gamma(given: Json) -> Json:
    s, x = given["order"], np.array(given["arguments"])
    return {"log_gamma": (s * np.log(x) - x + log_scaled_expint(1.0 - s, np.log(x))).tolist()}


def compute_fit(given: Json, expected: Json) -> Json:
    ends = {end: given[end] for end in ("xmin", "xmax") if end in given}
    law = DISTRIBUTIONS[given["law"]].fit(given["tail"], **ends)
    found: Json = {"log_likelihood": float(law.logpdf(given["tail"]).sum())}
    if "parameters" in expected:
        found["parameters"] = {name: float(getattr(law, name)) for name in expected["parameters"]}
    if "stderr" in expected:
        found["stderr"] = list(law.stderr(len(given["tail"])))
    return found


def compute_comparison(given: Json) -> Json:
    tail, xmin = given["tail"], given["xmin"]
    first, second = (DISTRIBUTIONS[given[side]].fit(tail, xmin) for side in ("first", "second"))
    found = compare(first, second, tail)
    names = ("log_likelihood_ratio", "normalized_ratio", "p_value", "favored")
    return {name: getattr(found, name) for name in names}


def compute_unbiased(given: Json) -> Json:
    logs = log_ratio(given["tail"], given["xmin"])
    return {"unbiased_alpha": alpha_unbiased(logs, given["threshold"])}


@pytest.mark.spec("PL-20", "PL-21", "PL-22", "PL-24", "PL-28", "PL-29", "PL-31")
@cases("dst", "dst/density/")
def test_densities(case):
    check("dst", case, compute_density)


@pytest.mark.spec("PL-25")
@cases("dst", "dst/gamma/")
def test_incomplete_gamma(case):
    check("dst", case, compute_gamma)


@pytest.mark.spec("PL-21", "PL-23", "PL-26", "PL-27", "PL-28", "PL-30", "PL-32")
@cases("dst", "dst/fit/")
def test_fits(case):
    check("dst", case, lambda given: compute_fit(given, case["expected"]))


@pytest.mark.spec("PL-37", "PL-38", "PL-39")
@cases("dst", "dst/comparison/")
def test_comparisons(case):
    check("dst", case, compute_comparison)


@pytest.mark.spec("PL-35")
@cases("dst", "dst/unbiased/")
def test_unbiased_exponents(case):
    check("dst", case, compute_unbiased)
