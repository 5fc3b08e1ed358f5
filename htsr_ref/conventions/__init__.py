"""Conventions: every choice behind an HT-SR number, as data."""

from collections.abc import Mapping
from types import MappingProxyType

from htsr_ref.conventions.convention import Convention, get_convention
from htsr_ref.conventions.shipped import CITATIONS, SHIPPED
from htsr_ref.conventions.table import FIELDS

CONVENTIONS: Mapping[str, Convention] = MappingProxyType(
    {name: get_convention(name) for name in SHIPPED}
)
"""The shipped conventions by name."""

PAPER = CONVENTIONS["paper"]
"""The text of SDM 2020 (arXiv 1901.08278); where it is silent, its authors' code (CNV-4)."""

__all__ = ["CITATIONS", "CONVENTIONS", "FIELDS", "PAPER", "Convention", "get_convention"]
