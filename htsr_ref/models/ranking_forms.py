"""A ranking as JSON, CSV and Markdown, and the rows and sentences that every form shows."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import Any

from htsr_ref.models.ranking import RankedModel, Ranking
from htsr_ref.models.standing import Standing
from htsr_ref.models.trends import METRICS
from htsr_ref.reports.markdown import convention_text, escape, markdown_table, number
from htsr_ref.reports.report import SPEC_VERSION
from htsr_ref.reports.verdicts import VERDICTS
from htsr_ref.text import strictjson
from htsr_ref.text.csvtext import csv_text
from htsr_ref.version import __version__

NUMBER_HEADER = ("model", "alpha_hat", "±", "", *("alpha", "log‖W‖F", "log‖W‖₂", "log α-norm"))
STANDING_HEADER = (
    *("model", "matrices", "power law", "edge", "random-like", "no verdict", "α outside"),
    "λmax < 1",
)

LEGEND = (
    "Best first: the smallest alpha_hat (mean α·log10 λmax) predicts the best generalization",
    "within a series of one architecture trained on the same data.",
    "±: error of alpha_hat with λmax and xmin taken as known; ≈ best: within 1.96 errors of the "
    "best.",
    "α outside: below 2 or above 6; where λmax < 1 a larger α lowers alpha_hat.",
)
"""What a reader of the tables needs to know."""


def number_row(model: RankedModel, name: str) -> list[str]:
    """Cells under `NUMBER_HEADER`."""
    alpha_hat, *others = (getattr(model.report.model, metric) for metric in METRICS)
    return [
        name,
        number(alpha_hat),
        number(model.standing.alpha_hat_stderr),
        "≈ best" if model.near_best else "",
        *map(number, others),
    ]


def standing_row(model: RankedModel, name: str) -> list[str]:
    """Cells under `STANDING_HEADER`.

    Spec: VRD-9.
    """
    standing = model.standing
    law, edge, noise, *others = (standing.verdicts[verdict] for verdict in VERDICTS)
    matrices = sum(standing.verdicts.values())
    counts = (
        *(matrices, law, edge, noise, sum(others)),
        standing.alpha_outside,
        standing.lambda_max_below_1,
    )
    return [name, *map(str, counts)]


def sentences(named: Sequence[tuple[str, RankedModel]]) -> list[str]:
    """Say which models are not ranked and why, and of which only a share was analyzed.

    Parameters
    ----------
    named : models with the names that they are shown by.

    Spec: VRD-10, VRD-13.
    """
    apart = [f"not ranked: {name}: {model.apart}" for name, model in named if model.apart]
    return apart + [
        f"{name}: {text} analyzed" if ":" not in text else f"{name}: {text}"
        for name, model in named
        for text in incomplete(model.standing)
    ]


def incomplete(standing: Standing) -> list[str]:
    """Name the kinds of layers of which not all were analyzed.

    Spec: VRD-10.
    """
    return [str(kind) for kind in standing.coverage if kind.analyzed < kind.total]


def ranking_json(ranking: Ranking) -> str:
    """Write a ranking as JSON text.

    Spec: VRD-9, VRD-13.
    """
    return strictjson.dumps(
        {
            "spec_version": SPEC_VERSION,
            "tool": {"name": "htsr-ref", "version": __version__},
            "convention": asdict(ranking.convention),
            "apart": [_record(model) for model in ranking.apart],
            "models": [_record(model) for model in ranking.models],
            "notes": list(ranking.notes),
        }
    )


def _record(model: RankedModel) -> dict[str, Any]:
    summary = model.report.model
    return {
        "rank": model.rank,
        "model": model.report.source.name,
        **{name: getattr(summary, name) for name in METRICS},
        "matrices": summary.matrices,
        "near_best": model.near_best,
        "apart": model.apart,
        "standing": asdict(model.standing),
    }


def ranking_csv(ranking: Ranking) -> str:
    """Write a row per model, those apart first; undefined numbers are empty cells.

    Spec: VRD-9, VRD-13.
    """
    convention = convention_text(ranking.convention)
    rows = [
        _flat(_record(model)) | {"convention": convention}
        for model in (*ranking.apart, *ranking.models)
    ]
    return csv_text(list(rows[0]), rows)


def _flat(record: dict[str, Any]) -> dict[str, Any]:
    return {
        **{name: cell for name, cell in record.items() if name != "standing"},
        **flat_standing(record["standing"]),
    }


def flat_standing(standing: dict[str, Any]) -> dict[str, Any]:
    """Spread a standing, as a dictionary, over columns.

    Spec: VRD-9.
    """
    coverage = [(kind["analyzed"], kind["total"]) for kind in standing["coverage"]]
    return {
        **{name: standing["verdicts"][name] for name in VERDICTS},
        "alpha_outside": standing["alpha_outside"],
        "lambda_max_below_1": standing["lambda_max_below_1"],
        "layers_analyzed": sum(analyzed for analyzed, _ in coverage),
        "layers": sum(total for _, total in coverage),
        "alpha_hat_stderr": standing["alpha_hat_stderr"],
        "random_like": standing["random_like"],
    }


def ranking_markdown(ranking: Ranking) -> str:
    """Write rounded tables of a ranking.

    Spec: VRD-9, VRD-13.
    """
    everyone = (*ranking.apart, *ranking.models)
    named = [(model.report.source.name, model) for model in everyone]
    ranked = [(name, model) for name, model in named if model.rank is not None]
    lines = ["# HT-SR ranking", "", f"Convention {convention_text(ranking.convention)}.", ""]
    lines += _bullets(sentences(named))
    if ranked:
        lines += markdown_table(NUMBER_HEADER, [number_row(model, name) for name, model in ranked])
    lines += markdown_table(STANDING_HEADER, [standing_row(model, name) for name, model in named])
    lines += _bullets([*LEGEND, *ranking.notes])
    return "\n".join(lines)


def _bullets(texts: Iterable[str]) -> list[str]:
    listed = [f"- {escape(text)}" for text in texts]
    return [*listed, ""] if listed else []
