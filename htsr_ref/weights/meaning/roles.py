"""Roles: what a tensor is for."""

from __future__ import annotations

MATRIX_ROLES = ("weight", "embedding", "recurrent")
"""Roles of weight matrices; conventions choose among them."""

PLAIN_ROLES = (
    "bias",
    "norm",
    "scale",
    "zero point",
    "codebook",
    "packed",
    "mask",
    "position",
    "buffer",
    "adapter",
    "optimizer",
    "unknown",
)
"""Roles of everything else; no number comes from these."""

ROLES = MATRIX_ROLES + PLAIN_ROLES
"""Every role of a tensor. Spec: FMT-3."""
