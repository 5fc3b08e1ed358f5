"""What a model's numbers rest on, as cells and sentences of every form."""

from collections.abc import Iterable
from typing import Any

from htsr_ref.models.standing import Standing
from htsr_ref.reports.blocks import Table
from htsr_ref.reports.verdicts import VERDICTS

VERDICT_HEADER = ("power law", "edge", "random-like", "open")
STANDING_HEADER = ("model", "matrices", *VERDICT_HEADER, "α outside", "λmax < 1")

STANDING_LEGEND = (
    "open: no verdict; α outside: below 2 or above 6; λmax < 1: there a larger α lowers α·log λmax."
)
"""What a reader of the table needs to know."""


def standing_table(named: Iterable[tuple[str, Standing]]) -> Table:
    """Lay out the standing of several models.

    Spec: VRD-9.
    """
    rows = [_row(name, standing) for name, standing in named]
    return Table(STANDING_HEADER, rows, range(1, len(STANDING_HEADER)))


def _row(name: str, standing: Standing) -> list[str]:
    counts = (
        sum(standing.verdicts.values()),
        *verdict_counts(standing),
        standing.alpha_outside,
        standing.lambda_max_below_1,
    )
    return [name, *map(str, counts)]


def verdict_counts(standing: Standing) -> list[int]:
    """Count matrices by verdict; those without one are counted together."""
    law, edge, noise, *others = (standing.verdicts[verdict] for verdict in VERDICTS)
    return [law, edge, noise, sum(others)]


def shares(named: Iterable[tuple[str, Standing]]) -> list[str]:
    """Say of which models not all layers of a kind were analyzed.

    Spec: VRD-10.
    """
    return [
        f"{name}: {kind}"
        for name, standing in named
        for kind in standing.coverage
        if kind.analyzed < kind.total
    ]


def flat_standing(standing: Standing) -> dict[str, Any]:
    """Spread a standing over the columns of a CSV file.

    Spec: VRD-9.
    """
    return {
        **standing.verdicts,
        "alpha_outside": standing.alpha_outside,
        "lambda_max_below_1": standing.lambda_max_below_1,
        "layers_analyzed": sum(kind.analyzed for kind in standing.coverage),
        "layers": sum(kind.total for kind in standing.coverage),
        "alpha_hat_stderr": standing.alpha_hat_stderr,
        "random_like": standing.random_like,
    }
