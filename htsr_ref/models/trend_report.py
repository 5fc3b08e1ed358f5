"""Trends of one or more series of models, as JSON and CSV."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from htsr_ref.conventions import Convention
from htsr_ref.models.accuracies import Accuracy
from htsr_ref.models.apart import why_apart
from htsr_ref.models.ranking import check_one_convention
from htsr_ref.models.standing import standing_of
from htsr_ref.models.trends import METRICS, Model, Series, Trend, fit_series
from htsr_ref.reports.blocks import blocks_markdown, blocks_text
from htsr_ref.reports.markdown import convention_text
from htsr_ref.reports.report import SPEC_VERSION, Report, Tool
from htsr_ref.text import strictjson
from htsr_ref.text.csvtext import csv_text
from htsr_ref.text.lines import count
from htsr_ref.version import __version__


@dataclass(frozen=True)
class TrendReport:
    """What `htsr trend` finds.

    Attributes
    ----------
    convention : of all reports behind it.
    resamples, seed : of the bootstrap.
    series : in the order in which the first model of each was given.

    Spec: TRD-9.
    """

    spec_version: str
    tool: Tool
    convention: Convention
    resamples: int
    seed: int
    series: tuple[Series, ...]

    def __repr__(self) -> str:
        models = sum(len(series.models) for series in self.series)
        return f"<TrendReport of {count(models, 'model')} in {len(self.series)} series>"

    def __str__(self) -> str:
        """Lay out the trends as tables."""
        from htsr_ref.models.trend_forms import trend_blocks

        return blocks_text(trend_blocks(self))

    def to_markdown(self) -> str:
        """Write the tables as Markdown."""
        from htsr_ref.models.trend_forms import trend_blocks

        return blocks_markdown("HT-SR trends", trend_blocks(self))

    def to_json(self) -> str:
        """Write the report as JSON text.

        Spec: TRD-9, VRD-9.
        """
        return strictjson.dumps(self)

    def to_csv(self) -> str:
        """Write one row per series and metric; undefined numbers are empty cells."""
        convention = convention_text(self.convention)
        rows = [
            {
                "series": series.name,
                "metric": metric,
                **_flat(trend),
                "apart": "; ".join(f"{model.name}: {model.apart}" for model in series.apart),
                "convention": convention,
            }
            for series in self.series
            for metric, trend in series.trends.items()
        ]
        return csv_text(list(rows[0]), rows)


def trend_report(
    models: Sequence[tuple[Report, Accuracy]],
    *,
    resamples: int,
    seed: int,
    everything: bool,
) -> TrendReport:
    """Sort models into their series and fit the trends of each.

    Parameters
    ----------
    models : at least one; a report with its model's row of the table of accuracies.
    resamples, seed : of the bootstrap.
    everything : fit to models too that cannot be compared with the others of their series.

    Raises
    ------
    HtsrError
        The reports follow different conventions.

    Spec: TRD-9, VRD-13.
    """
    check_one_convention([report for report, _ in models])
    members: dict[str, list[tuple[Report, Accuracy]]] = {}
    for report, row in models:
        members.setdefault(row.series, []).append((report, row))
    return TrendReport(
        spec_version=SPEC_VERSION,
        tool=Tool("htsr-ref", __version__),
        convention=models[0][0].convention,
        resamples=resamples,
        seed=seed,
        series=tuple(
            fit_series(name, _models(found, everything), resamples=resamples, seed=seed)
            for name, found in members.items()
        ),
    )


def _models(members: Sequence[tuple[Report, Accuracy]], everything: bool) -> list[Model]:
    """Models of one series, those that stand apart marked."""
    judged = [(report, standing_of(report)) for report, _ in members]
    reasons = [None] * len(judged) if everything else why_apart(judged)
    return [
        Model(
            row.name,
            row.value,
            {name: getattr(report.model, name) for name in METRICS},
            standing,
            reason,
        )
        for (report, standing), (_, row), reason in zip(judged, members, reasons, strict=True)
    ]


def _flat(trend: Trend) -> dict[str, Any]:
    """Give each part of a correlation and of a range a column of its own."""
    row = asdict(trend)
    del row["null_reasons"]
    for name in ("kendall", "spearman"):
        parts = row.pop(name) or dict.fromkeys(("value", "p_value", "method"))
        row |= {f"{name}_{part}": cell for part, cell in parts.items()}
    for name in ("slope_range", "kendall_range", "r_squared_ci95"):
        row[f"{name}_low"], row[f"{name}_high"] = row.pop(name) or (None, None)
    return row
