"""Gates: conditions on the numbers of a model and its layers under which a check fails."""

import math
import operator
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from types import MappingProxyType

from htsr_ref.errors import HtsrError
from htsr_ref.metric_table import MEAN_FIELDS
from htsr_ref.reports.report import ModelReport, Report
from htsr_ref.text.nearest import one_of

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


OF_LAYER = "layer:"
"""What a gate on every layer begins with."""

MOST_NAMED = 10
"""Layers that a failure names."""


@dataclass(frozen=True)
class Gate:
    """A condition under which the check fails, such as alpha_hat > 3 or layer:alpha > 6.

    Attributes
    ----------
    name : a number of the model, or of every layer that is analyzed.
    op, threshold : what it is compared with, and how.
    of_layers : whether it is of every layer.
    """

    name: str
    op: str
    threshold: float
    of_layers: bool = False

    def __str__(self) -> str:
        return f"{OF_LAYER if self.of_layers else ''}{self.name} {self.op} {self.threshold:g}"

    def failure(self, report: Report) -> str | None:
        """Say why the check fails, or None if it passes. An undefined number fails.

        Spec: RPT-7.
        """
        if not self.of_layers:
            found = self.found(self.name, getattr(report.model, self.name))
            return None if found is None else f"{self}: {found}"
        failures = [
            found
            for layer in report.analyzed()
            if (found := self.found(layer.name, (layer.means or {})[self.name])) is not None
        ]
        if not failures:
            return None
        more = len(failures) - MOST_NAMED
        rest = f" and {more} layers more" if more > 0 else ""
        return f"{self}: {', '.join(failures[:MOST_NAMED])}{rest}"

    def found(self, whose: str, value: float | None) -> str | None:
        """Say what a number is if the comparison holds for it, or if it is undefined."""
        if value is None:
            return f"{whose} is undefined"
        return f"{whose} is {value:.6g}" if _OPERATORS[self.op](value, self.threshold) else None


def parse_gate(text: str, names: Sequence[str] = GATED) -> Gate:
    """Read a gate NAME OP NUMBER, OP one of < <= > >=; layer:NAME is a number of every layer.

    Parameters
    ----------
    text : the gate.
    names : numbers that it may name, but for those of layers.

    Raises
    ------
    GateError
        The text is not a gate, or names no number of a model or layer.

    Spec: RPT-7.

    >>> parse_gate("alpha_hat>3")
    Gate(name='alpha_hat', op='>', threshold=3.0, of_layers=False)
    """
    match = re.fullmatch(rf"\s*({OF_LAYER}\s*)?(\w+)\s*(<=|>=|<|>)\s*(\S+)\s*", text)
    of_layer, name, op, number = match.groups() if match else (None, "", "", "")
    try:
        threshold = float(number)
    except ValueError:
        threshold = math.nan
    if not math.isfinite(threshold):
        raise GateError(
            f"{text!r} is not a gate NAME OP NUMBER, OP one of {' '.join(_OPERATORS)}. "
            "Write for example 'alpha_hat>3' or 'layer:alpha>6'"
        )
    known = MEAN_FIELDS if of_layer else names
    if name not in known:
        what = "Numbers of a layer" if of_layer else "Numbers"
        raise GateError(f"{text!r}: no such number {name!r}. {one_of(name, known, what)}")
    return Gate(name, op, threshold, of_layer is not None)


def failures(report: Report, gates: Iterable[str]) -> tuple[str, ...]:
    """Say which gates a report does not pass, and why.

    Parameters
    ----------
    report : what is checked.
    gates : conditions under which the check fails, such as "alpha_hat>3" or "layer:alpha>6".

    Raises
    ------
    GateError
        A text is not a gate.

    Spec: RPT-7.
    """
    parsed = [parse_gate(text) for text in gates]
    return tuple(found for gate in parsed if (found := gate.failure(report)) is not None)
