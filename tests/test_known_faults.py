"""Known faults of other tools: the list, its page, and the right values by this implementation.

The right values of the list are from closed forms, `reference` (mpmath) or NumPy's SVD of the
inputs; that the tools return what the list says is tested with `pytest -m peers`.
"""

import json
import math
from pathlib import Path

import jsonschema
import numpy as np
import pytest
from peers import faults
from peers.faults import inputs
from peers.faults.page import body
from test_traceability import defined

from htsr_ref import analyze, fit_power_law, get_convention
from htsr_ref.errors import SampleError
from htsr_ref.metrics import erg_tail_size
from htsr_ref.powerlaw.comparison import compare
from htsr_ref.powerlaw.distributions import (
    BoundedPowerLaw,
    Exponential,
    Lognormal,
    PowerLaw,
    StretchedExponential,
    TruncatedPowerLaw,
)
from htsr_ref.powerlaw.distributions.tail import log_ratio
from htsr_ref.powerlaw.fingers import clip_fingers
from htsr_ref.powerlaw.mle import alpha_mle
from htsr_ref.reports.report import MatrixReport
from htsr_ref.spectra.eigenvalues import spectrum

pytestmark = pytest.mark.spec("AUD-30")

KNOWN = faults.read_list()
FAULTS = {fault["id"]: fault for fault in KNOWN["faults"]}
WEIGHTWATCHER = get_convention("weightwatcher")
EACH = pytest.mark.parametrize("fault", FAULTS.values(), ids=list(FAULTS))


def one(W: np.ndarray, solver: str = "auto", **choices: object) -> MatrixReport:
    """The only matrix of a layer, as WeightWatcher reads it but for some choices."""
    convention = WEIGHTWATCHER.override(choices) if choices else WEIGHTWATCHER
    ((matrix,),) = (layer.matrices for layer in analyze({"W": W}, convention, solver=solver).layers)
    return matrix


def nonfinite_entry():
    spoiled = inputs.heavy_matrix()
    spoiled[3, 4] = np.nan
    layers = analyze({"fc1": inputs.heavy_matrix(), "fc2": spoiled}, WEIGHTWATCHER).layers
    return {"alpha": [layer.matrices[0].alpha if layer.matrices else None for layer in layers]}


def zero_layer():
    matrix = one(np.zeros((48, 32), np.float32), failed_alpha=None)
    return {
        "alpha": matrix.alpha,
        "log_norm": matrix.log10_frobenius_norm,
        "log_alpha_norm": matrix.log10_alpha_norm,
        "stable_rank": matrix.stable_rank,
        "entropy": matrix.entropy,
    }


def failure_in_the_mean():
    W = inputs.heavy_matrix()
    convention = WEIGHTWATCHER.override({"eigenvalue_floor": "relative", "failed_alpha": None})
    return {
        "alpha": analyze({"fc1": W, "fc2": np.float32(2.0**-17) * W}, convention).model.mean_alpha
    }


def absolute_floor():
    W, factors = inputs.heavy_matrix(), np.float32([1.0, 2.0**-13, 2.0**-14])
    return {"alpha": [one(s * W, eigenvalue_floor="relative").alpha for s in factors]}


def one_side_of_the_steps():
    matrix = one(inputs.gaussian(58, 256, 128), ks="two-sided")
    return {"alpha": matrix.alpha, "num_pl_spikes": matrix.tail_size}


def ties():
    W = inputs.diagonal(np.repeat(inputs.pareto_quantiles(32, 1.5), 2))
    matrix = one(W, solver="svd")
    return {"alpha": matrix.alpha, "sigma": matrix.alpha_stderr}


def alphas_of_quantiles(*sizes):
    samples = (inputs.pareto_quantiles(n, 1.5) for n in sizes)
    return {"alpha": [fit_power_law(sample, ks="one-sided").alpha for sample in samples]}


def eigenvalues(W: np.ndarray) -> np.ndarray:
    return spectrum(W, solver="gram").positive


def fingers_miscounted():
    sample = eigenvalues(inputs.gaussian(55, 256, 128))
    found = clip_fingers(sample, ks="one-sided")
    return {
        "left out": sample.size - found.sample_size,
        "alpha with one left out": fit_power_law(sample[:-1], ks="one-sided").alpha,
    }


def max_fingers_ignored():
    sample = eigenvalues(inputs.gaussian(3, 256, 128))
    found = clip_fingers(sample, max_fingers=3, ks="one-sided")
    return {"alpha": found.alpha, "num_fingers": sample.size - found.sample_size}


def rank_of_rounded_matrix():
    matrix = one(inputs.rank_two(), rank="rounding", entropy="ranked")
    return {"matrix_rank": matrix.rank, "entropy": matrix.entropy}


def narrowing_convolution():
    matrix = one(inputs.narrowing_kernel(), orientation="tall")
    return {"N": matrix.N, "M": matrix.M, "Q": matrix.Q}


def stacked():
    narrow = np.pad(inputs.heavy_matrix(6, 256, 64), ((0, 0), (0, 192)))
    matrix = one(np.vstack([narrow, inputs.heavy_matrix(7, 256, 256)]))
    return {"num_evals": matrix.num_eigenvalues}


def base_model_ignored():
    difference = inputs.heavy_matrix() - inputs.heavy_matrix(7)
    return {"log_norm by analyze": 2 * one(difference).log10_frobenius_norm}


def glorot_fix():
    W = inputs.heavy_matrix()
    reports = (one(W, normalization=factor) for factor in ("none", "glorot"))
    return {"log_norm": [2 * report.log10_frobenius_norm for report in reports]}


def quantized():
    stored, scale = inputs.quantized()
    matrix = one(stored * scale[:, np.newaxis].astype(float))
    return {"alpha": matrix.alpha, "log_norm": 2 * matrix.log10_frobenius_norm}


def range_of_alpha():
    found = fit_power_law(inputs.pareto_quantiles(100, 5.0), ks="one-sided")
    return {"alpha": found.alpha, "xmin": found.xmin, "n_tail": found.tail_size}


def xmax_in_the_likelihood():
    sample = inputs.pareto_quantiles(128, 1.5)
    law = BoundedPowerLaw.fit(sample, sample[0], xmax=sample[-1])
    return {"alpha": law.alpha, "ln L": law.logpdf(sample).sum()}


def upper_half_above_the_next_value():
    ascending = inputs.pareto_quantiles(100, 1.5)
    return {"alpha": alpha_mle(log_ratio(ascending[50:], ascending[49]))}


def two_sided_distance():
    return {"D": fit_power_law(inputs.pareto_quantiles(128, 1.5)).ks_distance}


def three_values():
    found = fit_power_law([1.0, 2.0, 3.0], ks="one-sided")
    return {"alpha": found.alpha, "xmin": found.xmin}


def refusal(*sample):
    with pytest.raises(SampleError) as refused:
        fit_power_law(sample)
    return {"error": type(refused.value).__name__}


def alpha_at_given_xmin():
    sample = inputs.pareto_quantiles(128, 1.5)
    return {"alpha": fit_power_law(sample, xmin=float(sample[0])).alpha}


def likelihood_ratio(sample, first, second):
    laws = (law.fit(sample, float(sample[0])) for law in (first, second))
    return compare(*laws, sample)


def window_around_the_peak():
    sample = 0.5 * inputs.uniform_power_law(8, 100)
    found = fit_power_law(sample, xmin="peak", ks="one-sided")
    return {"alpha": found.alpha, "xmin": found.xmin}


RIGHT = {
    "F-WW-1": nonfinite_entry,
    "F-WW-2": zero_layer,
    "F-WW-3": failure_in_the_mean,
    "F-WW-4": lambda: {"alpha": one(np.eye(64, dtype=np.float32), failed_alpha=None).alpha},
    "F-WW-5": lambda: {"sigma": one(inputs.rank_two(), solver="svd").alpha_stderr},
    "F-WW-6": absolute_floor,
    "F-WW-7": one_side_of_the_steps,
    "F-WW-8": ties,
    "F-WW-9": lambda: alphas_of_quantiles(19, 20),
    "F-WW-11": fingers_miscounted,
    "F-WW-12": max_fingers_ignored,
    "F-WW-15": rank_of_rounded_matrix,
    "F-WW-16": narrowing_convolution,
    "F-WW-17": lambda: {
        "sv_min": math.sqrt(one(inputs.narrowing_kernel(), "svd", lambda_min="least").lambda_min)
    },
    "F-WW-18": lambda: {
        "lambda_max": 1 / one(inputs.widening_kernel(), "svd", lambda_min="least").lambda_min
    },
    "F-WW-19": stacked,
    "F-WW-20": lambda: {"get_ESD": one(inputs.narrowing_kernel()).lambda_max},
    "F-WW-23": lambda: {"detX_num": erg_tail_size(inputs.two_clusters())},
    "F-WW-25": glorot_fix,
    "F-WW-26": lambda: {"entropy": one(np.eye(64, dtype=np.float32), entropy="ranked").entropy},
    "F-WW-27": base_model_ignored,
    "F-WW-33": quantized,
    "F-WW-41": lambda: {
        "spectral_norm": one(
            inputs.gaussian(41, 200, 100).astype(np.float64) * np.sqrt(1 / 2),
            "svd",
            normalization="none",
        ).lambda_max
    },
    "F-PL-1": range_of_alpha,
    "F-PL-2": xmax_in_the_likelihood,
    "F-PL-3": two_sided_distance,
    "F-PL-4": three_values,
    "F-PL-5": lambda: refusal(1, 2, 3, math.nan, 4, 5, 6, 7),
    "F-PL-6": lambda: refusal(1, 2, 3, math.inf, 4, 5, 6, 7),
    "F-PL-7": alpha_at_given_xmin,
    "F-PL-8": lambda: {
        "R": likelihood_ratio(
            inputs.pareto_quantiles(400, 1.5), PowerLaw, StretchedExponential
        ).log_likelihood_ratio
    },
    "F-PL-9": lambda: {
        "R": likelihood_ratio(
            inputs.uniform_power_law(22, 200), PowerLaw, Lognormal
        ).log_likelihood_ratio
    },
    "F-PL-10": lambda: {
        "p": likelihood_ratio(
            inputs.exponential_quantiles(500), PowerLaw, TruncatedPowerLaw
        ).p_value
    },
    "F-PL-11": lambda: {
        "p": likelihood_ratio(inputs.truncated_sample(), Exponential, TruncatedPowerLaw).p_value
    },
    "F-PF-1": lambda: alphas_of_quantiles(49, 50),
    "F-PF-2": lambda: {
        "alpha": fit_power_law(1e300 * inputs.pareto_quantiles(128, 1.5), ks="one-sided").alpha
    },
    "F-PF-3": lambda: refusal(1.0, 2.0, 3.0, math.nan, 4.0, 5.5),
    "F-PF-4": two_sided_distance,
    "F-TB-1": window_around_the_peak,
    "F-TB-2": upper_half_above_the_next_value,
}
"""What this implementation finds, by fault."""


def test_the_list_conforms_to_its_schema():
    schema = Path(faults.SPEC, "schemas", "known-faults.schema.json")
    jsonschema.Draft202012Validator(json.loads(schema.read_text(encoding="utf-8"))).validate(KNOWN)


def test_no_id_is_used_twice_and_none_is_left_out():
    assert len(FAULTS) == len(KNOWN["faults"])
    for prefix in ("F-WW", "F-PL", "F-PF", "F-TB"):
        numbers = [int(name.rsplit("-", 1)[1]) for name in FAULTS if name.startswith(prefix)]
        assert numbers == list(range(1, len(numbers) + 1))


def test_the_page_is_made_of_the_list():
    assert faults.PAGE.read_text(encoding="utf-8").endswith("\n" + body(KNOWN))


@EACH
def test_the_reproducer_exists_and_says_what_it_feeds(fault):
    assert faults.reproducer(fault["reproducer"]).__doc__


@EACH
def test_the_requirements_are_defined(fault):
    assert set(fault["right"]["spec"]) <= defined()


@EACH
def test_what_was_returned_is_not_right(fault):
    returned, right = fault["returned"], fault["right"].get("values", {})
    shared = returned.keys() & right.keys()
    assert all(returned[name] != right[name] for name in shared)


def test_every_right_value_is_compared():
    assert RIGHT.keys() == {name for name, fault in FAULTS.items() if "values" in fault["right"]}


@pytest.mark.parametrize("name", RIGHT)
def test_right_values(name):
    found = RIGHT[name]()
    assert faults.differences(found, FAULTS[name]["right"]["values"]) == {}
