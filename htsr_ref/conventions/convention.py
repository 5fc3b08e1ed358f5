"""A convention: a value for every choice behind an HT-SR number."""

import dataclasses
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

from htsr_ref.conventions.combinations import check_combinations
from htsr_ref.conventions.names import shipped_name
from htsr_ref.conventions.shipped import SHIPPED
from htsr_ref.conventions.table import FIELDS
from htsr_ref.errors import ConventionError
from htsr_ref.text.nearest import one_of


@dataclass(frozen=True)
class Convention:
    """A value for every choice; `FIELDS` says what each means.

    Attributes
    ----------
    name : name of the convention it is, or is derived from.
    overrides : the fields in which it departs from that one.
    others : see `FIELDS`.

    Raises
    ------
    ConventionError
        A value is not legal, or two values make no sense together.

    Spec: CNV-1, CNV-2.
    """

    name: str
    layer_kinds: tuple[str, ...]
    fused: str
    experts: str
    tied: str
    parameters: str
    conv1d: str
    transposed: str
    linear: str
    conv: str
    windows: tuple[int, float, int] | None
    map_size: int | None
    orientation: str
    min_dim: int
    min_dim_applies_to: str
    min_eigenvalues: int
    max_eigenvalues: int | None
    max_rows: int | None
    normalization: str
    norms: str
    drop_smallest: int
    eigenvalue_floor: str | float
    equal_eigenvalues: str
    rank: str
    entropy: str
    lambda_min: str
    estimator: str
    xmin: str | float
    xmin_position: float | None
    xmax: str
    ks_model: str
    ks: Literal["two-sided", "one-sided"]
    small_samples: str
    clip_fingers: int
    log_base: str
    failed_alpha: float | None
    average: str
    alpha_range: tuple[float, float] | None
    overrides: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for name, field in FIELDS.items():
            object.__setattr__(self, name, field.checked(name, getattr(self, name)))
        check_combinations(self.values())
        check_names(self.overrides)

    def values(self) -> dict[str, Any]:
        """Value of every field, in the specification's order."""
        return {name: getattr(self, name) for name in FIELDS}

    @property
    def counts_zeros(self) -> bool:
        """Whether eigenvalues that cannot be told from zero count as zeros.

        Spec: SPC-10.
        """
        return self.eigenvalue_floor in ("rounding", "relative")

    def override(self, changes: Mapping[str, Any]) -> "Convention":
        """Return this convention with some fields changed.

        Parameters
        ----------
        changes : values by field name, or text as on the command line.

        Raises
        ------
        ConventionError
            No such field, an illegal value, or two values that make no sense together.

        Spec: CNV-3.

        >>> shipped_convention("sdm2020").override({"min_dim": "0"}).overrides
        ('min_dim',)
        """
        check_names(changes)
        changed = dataclasses.replace(self, **changes)
        base = SHIPPED.get(self.name, self.values())
        differing = [name for name, value in changed.values().items() if value != base[name]]
        return dataclasses.replace(changed, overrides=tuple(differing))


def check_names(fields: Iterable[str]) -> None:
    """Refuse names that are not fields.

    Spec: CNV-2.
    """
    for name in fields:
        if name not in FIELDS:
            raise ConventionError(
                f"no convention has a field {name!r}. {one_of(str(name), FIELDS, 'Fields')}"
            )


def shipped_convention(name: str, overrides: Mapping[str, Any] | None = None) -> Convention:
    """Look up a shipped convention, by its name or an alias, and override some of its fields.

    Raises
    ------
    ConventionError
        No such convention, an earlier name of one, or a bad override.

    Spec: CNV-2, CNV-3, CNV-4, CNV-22.
    """
    convention = _shipped(shipped_name(name))
    return convention.override(overrides) if overrides else convention


@cache
def _shipped(name: str) -> Convention:
    return Convention(name=name, **SHIPPED[name])
