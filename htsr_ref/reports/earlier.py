"""Reports of earlier specifications, read as today's."""

from collections.abc import Mapping
from typing import Any

from htsr_ref.reports.report import SPEC_VERSION

EARLIER_VERSIONS = ("0.1", "0.2")
"""The versions that are still read."""

ASSUMED = {
    "fused": "whole",
    "experts": "split",
    "tied": "once",
    "parameters": "all",
    "conv1d": "take",
    "transposed": "take",
    "equal_eigenvalues": "apart",
}
"""Fields of a convention that version 0.1 did not have."""

_ROLES = {"linear": "weight", "conv": "weight", "other": "unknown"}
_CODES = {"kind": "convention"}
_MATRIX_KINDS = ("linear", "conv", "embedding", "recurrent")
_SPATIAL = ("k1", "k2", "k3")


def as_today(data: Any) -> Any:
    """Turn the JSON of a report of an earlier version into that of today's version.

    Conventions keep the names that they had. What is not of the form of such a report stays as
    it is, for the reader to refuse.

    Spec: RPT-9.
    """
    try:
        if data["spec_version"] == "0.2":
            layers = [_without_verdicts(layer) for layer in data["layers"]]
            today = {
                "spec_version": SPEC_VERSION,
                "source": _source(data["source"]),
                "layers": layers,
            }
            return {"blas_threads": None} | data | today
        convention = dict(data["convention"])
        kinds = convention["layer_kinds"]
        roles = {_ROLES.get(kind, kind) for kind in kinds}
        convention |= ASSUMED | {
            "layer_kinds": [r for r in ("weight", "embedding", "recurrent") if r in roles],
            "overrides": convention["overrides"],
        }
        if "conv" not in kinds:
            convention["conv"] = "skip"
        if convention["ks_model"] == "renormalised":
            convention["ks_model"] = "renormalized"
        assumed = ", ".join(f"{name} = {value}" for name, value in ASSUMED.items())
        warning = f"a report of specification 0.1: {assumed} are assumed"
        return data | {
            "spec_version": SPEC_VERSION,
            "source": data["source"] | {"base": None, "etag": None},
            "convention": convention,
            "blas_threads": None,
            "layers": [_layer(layer) for layer in data["layers"]],
            "warnings": [*data["warnings"], warning],
        }
    except (AttributeError, KeyError, TypeError):
        return data


def _source(source: Mapping[str, Any]) -> dict[str, Any]:
    """Say that the files were not remote."""
    base = source["base"]
    return {**source, "base": base and {**base, "etag": None}, "etag": None}


def _without_verdicts(layer: Mapping[str, Any]) -> dict[str, Any]:
    """Say that there are none: who reads the report draws them (VRD-17)."""
    return {**layer, "matrices": [matrix | {"verdict": None} for matrix in layer["matrices"]]}


def _layer(layer: Mapping[str, Any]) -> dict[str, Any]:
    found = dict(layer)
    kind = found.pop("kind")
    axes: list[str] = []
    if kind in _MATRIX_KINDS:
        spatial = len(found["shape"]) - 2 if kind == "conv" else 0
        stacks = len(found["shape"]) - 2 - spatial
        axes = ["stack"] * stacks + ["out", "in", *_SPATIAL[:spatial]]
    code = found["skip_code"]
    matrices = [_matrix(matrix) for matrix in found["matrices"]]
    return found | {
        "role": _ROLES.get(kind, kind),
        "axes": axes,
        "skip_code": _CODES.get(code, code),
        "decided": found["decided"].replace("declared", "stated"),
        "matrices": matrices,
    }


def _matrix(matrix: Mapping[str, Any]) -> dict[str, Any]:
    comparisons = {
        name: None
        if test is None
        else {_RENAMED.get(key, key): value for key, value in test.items()}
        for name, test in matrix["comparisons"].items()
    }
    return {**matrix, "comparisons": comparisons, "verdict": None}


_RENAMED = {"favoured": "favored", "normalised_ratio": "normalized_ratio"}
