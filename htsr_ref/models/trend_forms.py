"""What people read of trends."""

from collections.abc import Callable

from htsr_ref.models.rank_correlation import Correlation
from htsr_ref.models.standing_forms import STANDING_LEGEND, shares, standing_table
from htsr_ref.models.trend_report import TrendReport
from htsr_ref.models.trends import METRIC_TITLES, Series, Trend
from htsr_ref.reports.blocks import Block, Lines, Table
from htsr_ref.reports.markdown import convention_text, number


def trend_blocks(report: TrendReport) -> list[Block]:
    """Give the table of each series, what its models rest on, and how to read them.

    Spec: TRD-9, VRD-8, VRD-9, VRD-13.
    """
    legend = (
        "The theory wants slopes below 0: the smaller a metric, the higher the accuracy.",
        "p: share of all orders of the models that correlate as much (≈: approximated).",
        f"Intervals of R² are from {report.resamples} resamples of the models.",
        STANDING_LEGEND,
        f"Convention {convention_text(report.convention)}.",
    )
    blocks = [block for series in report.series for block in _series_blocks(series)]
    return [*blocks, Lines(legend)]


def _series_blocks(series: Series) -> list[Block]:
    trends = list(series.trends.values())
    rows = [[label, *map(cell, trends)] for label, cell in _ROWS]
    reasons = {reason for trend in trends for reason in trend.null_reasons.values()}
    number_of = f"{len(series.models)} model{'' if len(series.models) == 1 else 's'}"
    known = [
        (model.name, model.standing)
        for model in (*series.apart, *series.models)
        if model.standing is not None
    ]
    return [
        Table([f"{series.name}: {number_of}", *METRIC_TITLES], rows, range(1, 6)),
        Lines(
            [
                *(f"–: {reason}" for reason in sorted(reasons)),
                *(f"not compared: {model.name}: {model.apart}" for model in series.apart),
                *shares(known),
            ]
        ),
        standing_table(known),
    ]


def _number(value: float | None) -> str:
    return number(value, ".3g")


def _range(ends: tuple[float, float] | None) -> str:
    return _number(None) if ends is None else f"{_number(ends[0])} … {_number(ends[1])}"


def _value(correlation: Correlation | None) -> str:
    return _number(None if correlation is None else correlation.value)


def _p_value(correlation: Correlation | None) -> str:
    if correlation is None:
        return _number(None)
    about = "≈" if correlation.method == "asymptotic" else ""
    return about + _number(correlation.p_value)


def _yes(value: bool | None) -> str:
    return _number(None) if value is None else "yes" if value else "no"


_ROWS: tuple[tuple[str, Callable[[Trend], str]], ...] = (
    ("models", lambda trend: str(trend.models)),
    ("slope", lambda trend: _number(trend.slope)),
    ("  one left out", lambda trend: _range(trend.slope_range)),
    ("  below 0", lambda trend: _yes(trend.as_expected)),
    ("intercept", lambda trend: _number(trend.intercept)),
    ("R²", lambda trend: _number(trend.r_squared)),
    ("  95 % interval", lambda trend: _range(trend.r_squared_ci95)),
    ("RMSE", lambda trend: _number(trend.rmse)),
    ("Kendall τ-b", lambda trend: _value(trend.kendall)),
    ("  p", lambda trend: _p_value(trend.kendall)),
    ("  one left out", lambda trend: _range(trend.kendall_range)),
    ("Spearman ρ", lambda trend: _value(trend.spearman)),
    ("  p", lambda trend: _p_value(trend.spearman)),
)
