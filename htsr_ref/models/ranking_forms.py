"""A ranking as JSON, CSV and Markdown, and the rows and sentences that every form shows."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from htsr_ref.models.ranking import RankedModel, Ranking
from htsr_ref.models.standing_forms import (
    STANDING_LEGEND,
    flat_standing,
    shares,
    standing_table,
)
from htsr_ref.models.trends import METRIC_TITLES, METRICS
from htsr_ref.reports.blocks import Block, Lines, Table, blocks_markdown, blocks_text
from htsr_ref.reports.markdown import convention_text, number
from htsr_ref.reports.report import SPEC_VERSION, Tool
from htsr_ref.text import strictjson
from htsr_ref.text.csvtext import csv_text
from htsr_ref.version import __version__

NUMBER_HEADER = ("model", METRIC_TITLES[0], "±", "", *METRIC_TITLES[1:])
LEGEND = (
    "Best first: of one architecture and one kind of data, the smallest alpha_hat is held best.",
    "±: error of alpha_hat with λmax and xmin taken as known; ≈ best: within 1.96 errors of the "
    "best.",
    STANDING_LEGEND,
)
"""What a reader of the tables needs to know."""


def _number_table(ranked: Sequence[tuple[str, RankedModel]]) -> Table:
    """Lay out the numbers; the column of marks only where a model has one."""
    rows = [[name, *_number_cells(model)] for name, model in ranked]
    if not any(model.near_best for _, model in ranked):
        header = [cell for cell in NUMBER_HEADER if cell]
        return Table(header, [[*row[:3], *row[4:]] for row in rows], range(1, 7))
    return Table(NUMBER_HEADER, rows, (1, 2, 4, 5, 6, 7))


def _number_cells(model: RankedModel) -> list[str]:
    alpha_hat, *others = (getattr(model.report.model, metric) for metric in METRICS)
    return [
        number(alpha_hat),
        number(model.standing.alpha_hat_stderr),
        "≈ best" if model.near_best else "",
        *map(number, others),
    ]


def ranking_json(ranking: Ranking) -> str:
    """Write a ranking as JSON text.

    Spec: VRD-9, VRD-13.
    """
    return strictjson.dumps(
        {
            "spec_version": SPEC_VERSION,
            "tool": Tool("htsr-ref", __version__),
            "convention": ranking.convention,
            "apart": [_record(model) for model in ranking.apart],
            "models": [_record(model) for model in ranking.models],
            "notes": ranking.notes,
        }
    )


def _everyone(ranking: Ranking) -> tuple[RankedModel, ...]:
    """Models that stand apart, then the others."""
    return (*ranking.apart, *ranking.models)


def _record(model: RankedModel) -> dict[str, Any]:
    summary = model.report.model
    return {
        "rank": model.rank,
        "model": model.report.source.name,
        **{name: getattr(summary, name) for name in METRICS},
        "matrices": summary.matrices,
        "near_best": model.near_best,
        "apart": model.apart,
        "standing": model.standing,
    }


def ranking_csv(ranking: Ranking) -> str:
    """Write a row per model, those apart first; undefined numbers are empty cells.

    Spec: VRD-9, VRD-13.
    """
    convention = convention_text(ranking.convention)
    rows = []
    for model in _everyone(ranking):
        row = _record(model) | flat_standing(model.standing) | {"convention": convention}
        del row["standing"]
        rows.append(row)
    return csv_text(list(rows[0]), rows)


def ranking_blocks(ranking: Ranking, names: Sequence[str]) -> list[Block]:
    """Give what people read of a ranking.

    Parameters
    ----------
    ranking : the ranking.
    names : by which its models are shown, those apart first.

    Spec: VRD-8, VRD-9, VRD-13.
    """
    named = list(zip(names, _everyone(ranking), strict=True))
    standings = [(name, model.standing) for name, model in named]
    apart = [f"not ranked: {name}: {model.apart}" for name, model in named if model.apart]
    ranked = [(name, model) for name, model in named if model.rank is not None]
    return [
        Lines(apart),
        _number_table(ranked),
        standing_table(standings),
        Lines(
            [
                *shares(standings),
                *LEGEND,
                *ranking.notes,
                f"Convention {convention_text(ranking.convention)}.",
            ]
        ),
    ]


def ranking_markdown(ranking: Ranking) -> str:
    """Write rounded tables of a ranking.

    Spec: VRD-8.
    """
    names = [model.report.source.name for model in _everyone(ranking)]
    return blocks_markdown("HT-SR ranking", ranking_blocks(ranking, names))


def ranking_text(ranking: Ranking) -> str:
    """Lay out a ranking as tables."""
    names = _below_shared_folder([model.report.source.name for model in _everyone(ranking)])
    return blocks_text(ranking_blocks(ranking, names))


def _below_shared_folder(names: list[str]) -> list[str]:
    """Names without the folder that all have in common: what tells them apart stays in sight."""
    paths = [Path(name) for name in names]
    try:
        shared = os.path.commonpath([path.parent for path in paths])
    except ValueError:  # Absolute and relative paths share nothing.
        return list(map(str, paths))
    return [str(path.relative_to(shared)) for path in paths]
