"""The shipped conventions as data: each is another one with some fields changed.

Spec: CNV-4, CNV-11, CNV-12, CNV-13, CNV-14, CNV-15, CNV-16, CNV-17, CNV-18, CNV-19.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

_SDM2020: Mapping[str, Any] = {
    "layer_kinds": ("weight",),
    "fused": "whole",
    "experts": "split",
    "tied": "once",
    "parameters": "all",
    "conv1d": "take",
    "transposed": "take",
    "linear": "whole",
    "conv": "slices",
    "windows": None,
    "map_size": None,
    "orientation": "tall",
    "min_dim": 50,
    "min_dim_applies_to": "conv",
    "min_eigenvalues": 0,
    "max_eigenvalues": None,
    "max_rows": None,
    "normalization": "none",
    "norms": "weights",
    "drop_smallest": 1,
    "eigenvalue_floor": "rounding",
    "equal_eigenvalues": "group",
    "rank": "rounding",
    "entropy": "ranked",
    "lambda_min": "least",
    "estimator": "mle",
    "xmin": "ks",
    "xmin_position": None,
    "xmax": "largest",
    "ks_model": "renormalized",
    "ks": "one-sided",
    "small_samples": "alike",
    "clip_fingers": 0,
    "log_base": "10",
    "failed_alpha": None,
    "average": "matrices",
    "alpha_range": None,
}

_SDM2020_TEXT = {
    **_SDM2020,
    "normalization": "1/N",
    "drop_smallest": 0,
    "xmax": "none",
    "ks_model": "unbounded",
    "ks": "two-sided",
}

_MODULES: Mapping[str, Any] = {
    "experts": "skip",
    "tied": "each",
    "parameters": "module-weights",
    "conv1d": "skip",
    "transposed": "skip",
}
"""What programs see that go through a network's modules and take the `weight` of each."""

_WEIGHTWATCHER_0_2 = {
    **_SDM2020,
    **_MODULES,
    "layer_kinds": ("weight", "embedding"),
    "min_dim_applies_to": "all",
    "normalization": "weightwatcher-2020",
    "norms": "scaled",
    "eigenvalue_floor": "none",
    "equal_eigenvalues": "apart",
}

_WEIGHTWATCHER_0_7 = {
    **_SDM2020_TEXT,
    **_MODULES,
    "layer_kinds": ("weight", "embedding"),
    "conv": "pooled",
    "orientation": "toggled",
    "min_dim": 0,
    "min_eigenvalues": 8,
    "max_eigenvalues": 15_000,
    "max_rows": 50_000,
    "normalization": "weightwatcher-conv",
    "norms": "scaled",
    "eigenvalue_floor": 1e-5,
    "equal_eigenvalues": "apart",
    "rank": "matrix-rank",
    "entropy": "shifted",
    "lambda_min": "greatest",
    "ks": "one-sided",
    "small_samples": "corrected",
    "failed_alpha": -1.0,
    "average": "layers",
}

_TEMPBALANCE = {
    **_SDM2020_TEXT,
    **_MODULES,
    "conv": "pooled",
    "min_dim": 0,
    "min_eigenvalues": 50,
    "normalization": "weightwatcher-conv",
    "norms": "scaled",
    "eigenvalue_floor": "none",
    "equal_eigenvalues": "apart",
    "xmin": "median",
    "xmin_position": 2.0,
    "ks": "one-sided",
    "average": "layers",
}

_ALPHAPRUNING = {
    **_TEMPBALANCE,
    "min_eigenvalues": 0,
    "xmin": "peak-slip",
    "xmin_position": None,
}

_FARMS_LINEAR = {
    **_ALPHAPRUNING,
    "conv": "skip",
    "linear": "windows",
    "windows": (2000, 1.0, 15),
    "min_eigenvalues": 5,
}

_FARMS_CONV = {
    **_TEMPBALANCE,
    "linear": "fixed-windows",
    "conv": "row-blocks",
    "windows": (100, 1.0, 9),
    "min_eigenvalues": 5,
}

_DEEPDATAPROFILER = {
    **_SDM2020_TEXT,
    **_MODULES,
    "conv": "flattened",
    "min_dim": 0,
    "normalization": "1/out",
    "norms": "scaled",
    "eigenvalue_floor": "none",
    "equal_eigenvalues": "apart",
    "ks": "one-sided",
    "log_base": "e",
    "average": "layers",
}

_SETOL = {
    **_WEIGHTWATCHER_0_7,
    "xmin": "erg",
    "small_samples": "alike",
    "failed_alpha": None,
}

SHIPPED: Mapping[str, Mapping[str, Any]] = MappingProxyType(
    {
        "sdm2020": _SDM2020,
        "sdm2020-text": _SDM2020_TEXT,
        "weightwatcher-0.7.7": _WEIGHTWATCHER_0_7,
        "weightwatcher-0.2.7": _WEIGHTWATCHER_0_2,
        "tempbalance": _TEMPBALANCE,
        "alphapruning": _ALPHAPRUNING,
        "farms-linear": _FARMS_LINEAR,
        "farms-conv": _FARMS_CONV,
        "deepdataprofiler": _DEEPDATAPROFILER,
        "setol": _SETOL,
    }
)
"""Values of every field by name of the convention (CNV-4, CNV-11 to CNV-19)."""

DEFAULT = "sdm2020"
"""The convention that is followed where none is named (CNV-4)."""

CITATIONS: Mapping[str, str] = MappingProxyType(
    {
        "sdm2020": "Martin & Mahoney, SDM 2020, arXiv 1901.08278: what its notebooks compute",
        "sdm2020-text": "the text of arXiv 1901.08278; where it is silent, the notebooks",
        "weightwatcher-0.7.7": "the program WeightWatcher 0.7.7 with its defaults",
        "weightwatcher-0.2.7": "WeightWatcher 0.2.7, as called for arXiv 2002.06716",
        "tempbalance": "TempBalance, arXiv 2312.00359: PL_Alpha_Hill from the median",
        "alphapruning": "AlphaPruning, arXiv 2410.10912: PL_Alpha_Hill near the histogram's peak",
        "farms-linear": "FARMS, arXiv 2506.06280, for linear layers",
        "farms-conv": "FARMS, arXiv 2506.06280, for image classifiers",
        "deepdataprofiler": "the program DeepDataProfiler (pnnl)",
        "setol": "SETOL, arXiv 2507.17912: the tail of the exact renormalization group condition",
    }
)
"""What each shipped convention follows."""
