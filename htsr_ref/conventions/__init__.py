"""Conventions: every choice behind an HT-SR number, as data."""

from collections.abc import Mapping
from types import MappingProxyType

from htsr_ref.conventions.convention import Convention, shipped_convention
from htsr_ref.conventions.files import get_convention
from htsr_ref.conventions.shipped import CITATIONS, DEFAULT, SHIPPED
from htsr_ref.conventions.table import FIELDS

CONVENTIONS: Mapping[str, Convention] = MappingProxyType(
    {name: shipped_convention(name) for name in SHIPPED}
)
"""The shipped conventions by name."""

FIT_FIELDS = tuple(name for name, field in FIELDS.items() if field.stage == "fit")
"""Fields of a convention that a fit depends on (CNV-21)."""

SDM2020 = CONVENTIONS[DEFAULT]
"""What the authors of SDM 2020 (arXiv 1901.08278) computed: the default (CNV-4)."""

SDM2020_TEXT = CONVENTIONS["sdm2020-text"]
"""What its text says; where it is silent, what they computed (CNV-11)."""

__all__ = [
    "CITATIONS",
    "CONVENTIONS",
    "DEFAULT",
    "FIELDS",
    "FIT_FIELDS",
    "SDM2020",
    "SDM2020_TEXT",
    "Convention",
    "get_convention",
]
