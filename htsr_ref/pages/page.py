"""Reports as one HTML page."""

from __future__ import annotations

import base64
import hashlib
from collections import Counter
from importlib import resources
from typing import TYPE_CHECKING, Any

from htsr_ref.conventions import FIELDS
from htsr_ref.errors import HtsrError
from htsr_ref.pages.bottom_line import bottom_line, comparison
from htsr_ref.pages.embedding import page_data
from htsr_ref.pages.layer_table import columns_for, layer_rows
from htsr_ref.reports.judgments import LEGEND
from htsr_ref.reports.markdown import convention_text, remarks, value_text
from htsr_ref.reports.verdicts import VERDICTS
from htsr_ref.text.lines import one_line

if TYPE_CHECKING:
    from collections.abc import Sequence

    from jinja2 import Environment
    from markupsafe import Markup

    from htsr_ref.pages.spectra import Spectra
    from htsr_ref.reports.report import Report

MARKS = dict(zip(VERDICTS, ("●", "□", "▲", "◇", "×"), strict=True))
"""Marks of verdicts, so that none is told by color alone."""


def require_jinja() -> None:
    """Refuse to start where Jinja2 is missing.

    Raises
    ------
    HtsrError
        It is not installed.

    Spec: PAG-7.
    """
    try:
        import jinja2  # noqa: F401 - to see whether it is there
    except ImportError as error:
        raise HtsrError("a page needs Jinja2: pip install 'htsr-ref[report]'") from error


def report_page(reports: Sequence[Report], spectra: Sequence[Spectra] | None = None) -> str:
    """Write reports as one HTML page that loads nothing.

    Parameters
    ----------
    reports : at least one; their sources' names tell them apart.
    spectra : of each, as `thin_spectra` gives them; without them figures show the fit alone.

    Raises
    ------
    HtsrError
        Jinja2 is not installed.

    Spec: PAG-1, PAG-2, PAG-3, PAG-4, PAG-6.
    """
    require_jinja()
    from markupsafe import Markup

    rows = layer_rows(reports)
    found = spectra or [{} for _ in reports]
    style, script = _part("page.css"), _part("page.js")
    text: str = (
        _environment()
        .get_template("page.html.j2")
        .render(
            # Ours, and JSON that no parser of HTML takes for anything else.
            style=Markup(style),  # noqa: S704
            script=Markup(script),  # noqa: S704
            data=Markup(page_data(reports, found, rows)),  # noqa: S704
            style_hash=_digest(style),
            script_hash=_digest(script),
            has_spectra=[bool(of_report) for of_report in found],
            reports=reports,
            lines=[bottom_line(report) for report in reports],
            comparison=comparison(reports) if len(reports) > 1 else None,
            columns=columns_for(reports),
            rows=rows,
            conventions=[convention_text(report.convention) for report in reports],
            choices=_choices(reports),
            warnings=[remarks(report) for report in reports],
            skipped=[_skipped(report) for report in reports],
            marks=MARKS,
            legend=LEGEND,
        )
    )
    return text


def _environment() -> Environment:
    from jinja2 import Environment, FunctionLoader, StrictUndefined

    environment = Environment(
        loader=FunctionLoader(_part),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_finalized,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["breakable"] = _breakable
    return environment


def _breakable(name: str) -> Markup:
    """Let a long name go on in the next line after a dot, rather than anywhere."""
    from markupsafe import Markup

    return Markup(".<wbr>").join(one_line(name).split("."))


def _finalized(value: Any) -> Any:
    """Make texts visible before they are escaped; what is marked as HTML stays as it is.

    Spec: PAG-2.
    """
    return one_line(value) if type(value) is str else value


def _part(name: str) -> str:
    """Read one of the package's templates."""
    return resources.files("htsr_ref.pages").joinpath(name).read_text(encoding="utf-8")


def _digest(text: str) -> str:
    """Hash of an inline style or script, as a content security policy names it."""
    return base64.b64encode(hashlib.sha256(text.encode("utf-8")).digest()).decode("ascii")


def _choices(reports: Sequence[Report]) -> list[dict[str, Any]]:
    """Fields of the conventions, with whether they differ or were changed."""
    choices = []
    for name, field in FIELDS.items():
        values = [value_text(getattr(report.convention, name)) for report in reports]
        choices.append(
            {
                "name": name,
                "meaning": field.meaning,
                "values": values,
                "differs": len(set(values)) > 1,
                "changed": any(name in report.convention.overrides for report in reports),
            }
        )
    return choices


def _skipped(report: Report) -> list[tuple[str, int, list[str]]]:
    """Reasons why tensors were not analyzed, the number of tensors and their names."""
    reasons = Counter(layer.skipped for layer in report.layers if layer.skipped is not None)
    return [
        (reason, count, [layer.name for layer in report.layers if layer.skipped == reason])
        for reason, count in reasons.most_common()
    ]
