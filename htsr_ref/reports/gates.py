"""Gates: conditions on a model's numbers under which a check fails."""

import math
import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from types import MappingProxyType

from htsr_ref.errors import HtsrError
from htsr_ref.reports.report import ModelReport

_OPERATORS: Mapping[str, Callable[[float, float], bool]] = MappingProxyType(
    {
        "<": operator.lt,
        "<=": operator.le,
        ">": operator.gt,
        ">=": operator.ge,
    }
)

GATED = tuple(
    field.name for field in fields(ModelReport) if field.name not in ("counts", "pl_norm_relation")
)
"""Numbers of a model that a gate can name."""

OF_CONVENTION = ("alpha_hat",)
"""Numbers of a model that say nothing without the convention (RPT-7)."""


class GateError(HtsrError):
    """Text that is not a gate."""


@dataclass(frozen=True)
class Gate:
    """A condition under which the check fails, such as alpha_hat > 3."""

    name: str
    op: str
    threshold: float

    def __str__(self) -> str:
        return f"{self.name} {self.op} {self.threshold:g}"

    def failure(self, model: ModelReport) -> str | None:
        """Say why the check fails, or None if it passes. An undefined number fails.

        Spec: RPT-7.
        """
        value = getattr(model, self.name)
        if value is None:
            return f"{self}: {self.name} is undefined"
        if _OPERATORS[self.op](value, self.threshold):
            return f"{self}: {self.name} is {value:.6g}"
        return None


def parse_gate(text: str) -> Gate:
    """Read a gate NAME OP NUMBER, OP one of < <= > >=.

    Raises
    ------
    GateError
        The text is not a gate, or names no number of a model.

    Spec: RPT-7.

    >>> parse_gate("alpha_hat>3")
    Gate(name='alpha_hat', op='>', threshold=3.0)
    """
    match = re.fullmatch(r"\s*(\w+)\s*(<=|>=|<|>)\s*(\S+)\s*", text)
    name, op, number = match.groups() if match else ("", "", "")
    try:
        threshold = float(number)
    except ValueError:
        threshold = math.nan
    if not math.isfinite(threshold):
        raise GateError(
            f"{text!r} is not a gate NAME OP NUMBER, OP one of {' '.join(_OPERATORS)}. "
            "Write for example 'alpha_hat>3'"
        )
    if name not in GATED:
        raise GateError(f"{text!r}: no such number {name!r}. Numbers: {', '.join(GATED)}")
    return Gate(name, op, threshold)
