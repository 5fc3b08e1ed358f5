"""Marchenko-Pastur, Tracy-Widom and spikes against spec/vectors/rmt.json, one test a case."""

from typing import Any

import pytest
from conformance.test_vectors import cases, check

from htsr_ref.randommatrix import tracy_widom
from htsr_ref.randommatrix.marchenko_pastur import MarchenkoPastur
from htsr_ref.randommatrix.spikes import spike_position

Json = Any


def compute_law(given: Json) -> Json:
    law, points = MarchenkoPastur(given["Q"], given["variance"]), given["points"]
    return {
        "lambda_minus": law.lambda_minus,
        "lambda_plus": law.lambda_plus,
        "cdf": law.cdf(points).tolist(),
    }


def compute_quantiles(given: Json) -> Json:
    law = MarchenkoPastur(given["Q"], given["variance"])
    return {"quantiles": law.quantile(given["shares"]).tolist()}


def compute_largest(given: Json) -> Json:
    law = tracy_widom.largest_eigenvalue(given["N"], given["M"], given["variance"])
    return {"center": law.center, "scale": law.scale}


def compute_spike(given: Json) -> Json:
    theta, Q = given["theta"], given["Q"]
    return {"position": spike_position(theta, Q, given["variance"])}


@pytest.mark.spec("RMT-20", "RMT-22")
@cases("rmt", "rmt/law/")
def test_marchenko_pastur(case):
    check("rmt", case, compute_law)


@pytest.mark.spec("RMT-23")
@cases("rmt", "rmt/quantiles/")
def test_quantiles(case):
    check("rmt", case, compute_quantiles)


@pytest.mark.spec("RMT-24")
@cases("rmt", "rmt/tracy-widom/cdf")
def test_tracy_widom(case):
    check("rmt", case, lambda given: {"f1": tracy_widom.cdf(given["points"]).tolist()})


@pytest.mark.spec("RMT-25")
@cases("rmt", "rmt/tracy-widom/quantiles")
def test_tracy_widom_quantiles(case):
    def compute(given: Json) -> Json:
        return {"upper_quantiles": [tracy_widom.upper_quantile(p) for p in given["levels"]]}

    check("rmt", case, compute)


@pytest.mark.spec("RMT-26")
@cases("rmt", "rmt/largest/")
def test_largest_eigenvalue(case):
    check("rmt", case, compute_largest)


@pytest.mark.spec("RMT-31")
@cases("rmt", "rmt/spike/")
def test_spikes(case):
    check("rmt", case, compute_spike)
