"""Reports for the tests of the report: drawn ones, one with everything in it, and their parts."""

import json
from typing import Any

import numpy as np
import pytest
from builders import gaussian, power_law_matrix
from hypothesis import strategies as st
from strategies import matrices

from htsr_ref import Report, analyze
from htsr_ref.conventions import SDM2020_TEXT

changes = st.fixed_dictionaries(
    {},
    optional={
        "min_dim": st.integers(0, 60),
        "min_dim_applies_to": st.sampled_from(["conv", "all"]),
        "normalization": st.sampled_from(["1/N", "none"]),
        "ks": st.sampled_from(["two-sided", "one-sided"]),
        "average": st.sampled_from(["matrices", "layers"]),
        "alpha_range": st.sampled_from([None, (1.5, 6.0)]),
        "layer_kinds": st.sampled_from([("weight",), ("weight", "embedding")]),
        "conv": st.sampled_from(["slices", "pooled", "flattened"]),
        "norms": st.sampled_from(["weights", "scaled"]),
        "drop_smallest": st.integers(0, 2),
        "eigenvalue_floor": st.sampled_from(["relative", "none", 1e-3]),
        "estimator": st.sampled_from(["mle", "mle-unbiased", "truncated"]),
        "xmin": st.sampled_from(["ks", "peak-slip", "erg", 0.5]),
        "failed_alpha": st.sampled_from([None, -1.0]),
    },
)


@st.composite
def reports(draw: st.DrawFn) -> Report:
    """Reports of a few small matrices, one of them perhaps with a bad entry."""
    arrays = draw(st.dictionaries(st.text(), matrices, min_size=1, max_size=3))
    if draw(st.booleans()):
        first = next(iter(arrays))
        arrays[first] = arrays[first].copy()
        arrays[first][-1, -1] = draw(st.sampled_from([np.nan, np.inf]))
    solver = draw(st.sampled_from(["auto", "gram", "svd"]))
    return analyze(arrays, SDM2020_TEXT.override(draw(changes)), solver=solver)


def strict(text: str) -> Any:
    """Parse JSON as the standard has it, without NaN and Infinity."""
    return json.loads(text, parse_constant=lambda name: pytest.fail(f"{name} is not JSON"))


def everything() -> Report:
    """A report with every kind of entry: fits, none, bad data, tied, left out, relation."""
    bad = gaussian(6, 4)
    bad[2, 1] = np.nan
    return analyze(
        {
            "fc1.weight": power_law_matrix(2.5),
            "fc2.weight": power_law_matrix(3.0, scale=7.0),
            "conv.weight": np.stack([gaussian(60, 55), np.eye(60, 55)], axis=-1),
            "conv_small.weight": np.ones((4, 4, 3)),
            "eye.weight": np.eye(5),
            "zero.weight": np.zeros((5, 4)),
            "bad.weight": bad,
            "fc1.bias": np.ones(3),
            "embedding.weight": np.ones((5, 4)),
        },
        SDM2020_TEXT,
    )


def first_matrix(data: dict[str, Any]) -> dict[str, Any]:
    return data["layers"][0]["matrices"][0]
