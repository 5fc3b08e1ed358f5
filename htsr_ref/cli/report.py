"""`htsr report`."""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path  # noqa: TC003 - typer reads the annotations
from typing import TYPE_CHECKING, Annotated

import typer

from htsr_ref.cli import loading, options, output
from htsr_ref.cli.sources import each_once
from htsr_ref.errors import HtsrError

if TYPE_CHECKING:
    from htsr_ref.pages.spectra import Spectra
    from htsr_ref.reports.report import Report
    from htsr_ref.spectra.store import SpectrumStore
    from htsr_ref.weights import Weights

EPILOG = "Example: htsr report model.safetensors -o model.html"

OTHER_FORMS = (".json", ".csv", ".md", ".txt", ".svg", ".pdf", ".png")


def report(
    files: loading.FilesArgument,
    layers: options.LayersOption = None,
    include: options.IncludeOption = None,
    exclude: options.ExcludeOption = None,
    convention: loading.ConventionOption = None,
    set_: options.SetOption = None,
    solver: options.SolverOption = "auto",
    jobs: options.JobsOption = None,
    max_memory: options.MaxMemoryOption = None,
    cache: options.CacheOption = None,
    cache_size: options.CacheSizeOption = None,
    out: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="PAGE.html",
            help="Write there instead of to standard output.",
        ),
    ] = None,
    quiet: options.QuietOption = False,
) -> None:
    """Write one HTML page that shows a model, or several side by side, and needs nothing else.

    A saved report holds no eigenvalues: its figures show the fit, those of weights the spectrum.
    """
    if out is None and sys.stdout.isatty():
        raise HtsrError("a page is no text for a terminal. Name a file with -o page.html")
    if out is not None and out.suffix.lower() in OTHER_FORMS:
        raise HtsrError(f"{out}: a page is HTML. Name it .html")
    output.check_writable(out, *files, layers, convention)

    from htsr_ref.pages.page import report_page, require_jinja

    require_jinja()
    asked = loading.asked(convention, set_, layers, (include, exclude), solver)
    spectra: dict[str, Spectra] = {}

    def keep(file: str, found: Report, weights: Weights, store: SpectrumStore) -> None:
        from htsr_ref.pages.spectra import thin_spectra

        spectra[file] = thin_spectra(found, weights, store, asked.solver)

    machine = loading.Machine(jobs, max_memory, cache, cache_size)
    loaded = loading.load_reports(each_once(files), asked, machine, keep)
    if loaded.reports:
        found = _told_apart(loaded)
        output.emit(report_page(found, [spectra.get(file, {}) for file, _ in loaded.reports]), out)
    code = loaded.exit_code()
    if code:
        raise typer.Exit(code)


def _told_apart(loaded: loading.Loaded) -> list[Report]:
    """Call reports by their own names; where two are equal, as they were given."""
    counts = Counter(found.source.title for _, found in loaded.reports)
    return [
        found if counts[found.source.title] == 1 else as_given
        for (_, found), as_given in zip(loaded.reports, loaded.named(), strict=True)
    ]
