"""Rules that end the watching of a run: gates, and gates on how long a number has not improved."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from htsr_ref.reports.gates import GATED, OF_LAYER, Gate, GateError, parse_gate
from htsr_ref.runs.checkpoint import MEASURES, counted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from htsr_ref.reports.report import Report
    from htsr_ref.runs.checkpoint import Point

Extreme = Literal["least", "greatest"]
SINCE: tuple[Extreme, ...] = ("least", "greatest")
"""What a rule may count checkpoints since."""

NAMED = (*GATED, "random_like_share")
"""Numbers of a checkpoint that a rule can name."""


@dataclass(frozen=True)
class Rule:
    """A gate on a checkpoint, or on the number of checkpoints since a number was least or greatest.

    Attributes
    ----------
    gate : names the number, and compares it or that count.
    since : what checkpoints are counted since; None for the number itself.
    """

    gate: Gate
    since: Extreme | None = None

    def __str__(self) -> str:
        return f"since-{self.since}:{self.gate}" if self.since else str(self.gate)

    def holds(self, report: Report, points: Sequence[Point], *, undefined: bool) -> str | None:
        """Say why the rule holds at the newest checkpoint; None if it does not.

        Parameters
        ----------
        report : of the newest checkpoint.
        points : in the order in which they were analyzed, up to that one.
        undefined : whether a number that is undefined makes it hold.

        Spec: WCH-5.
        """
        name = self.gate.name
        if self.since is not None:
            found_at = (counted(point, name) for point in points)
            values = [value for value in found_at if value is not None]
            passed = checkpoints_since(values, self.since)
            whose = f"the number of checkpoints since the {self.since} {name}"
            found = None if passed is None else self.gate.found(whose, passed)
        elif self.gate.of_layers:
            return self.gate.failure(report)
        else:
            measures = points[-1].measures
            value = measures[name] if name in measures else getattr(report.model, name)
            found = None if value is None and not undefined else self.gate.found(name, value)
        return None if found is None else f"{self}: {found}"


def checkpoints_since(values: Sequence[float], extreme: Extreme) -> int | None:
    """Count checkpoints after the first that has the least, or greatest, number.

    None if there is no checkpoint.

    Spec: WCH-5.

    >>> checkpoints_since([3.0, 2.0, 2.0, 2.5], "least")
    2
    """
    if not values:
        return None
    best = min(values) if extreme == "least" else max(values)
    return len(values) - 1 - list(values).index(best)


def parse_rule(text: str, *, layers: bool = True) -> Rule:
    """Read a gate, or since-least:NAME OP COUNT, or since-greatest:NAME OP COUNT.

    Parameters
    ----------
    text : the rule.
    layers : whether it may be about every layer.

    Raises
    ------
    GateError
        The text is no rule, or names no number.

    Spec: WCH-5.

    >>> str(parse_rule("since-least:mean_alpha >= 5"))
    'since-least:mean_alpha >= 5'
    """
    for since in SINCE:
        beginning, is_there, rest = text.partition(f"since-{since}:")
        if is_there and not beginning.strip():
            try:
                gate = parse_gate(rest, MEASURES)
            except GateError as error:
                raise GateError(f"{text!r}: {error}") from error
            if gate.of_layers:
                break
            return Rule(gate, since)
    else:
        gate = parse_gate(text, NAMED)
        if layers or not gate.of_layers:
            return Rule(gate)
    raise GateError(f"{text!r}: {OF_LAYER} has no place here. Name a number of the model")
