"""A folder of figures: of a model and of every matrix."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from htsr_ref.analysis.tail_view import view_matrix
from htsr_ref.errors import HtsrError
from htsr_ref.plots.canvas import save_figure
from htsr_ref.plots.depth import alpha_by_depth
from htsr_ref.plots.names import title_lines
from htsr_ref.plots.of_report import matrix_name, report_title
from htsr_ref.plots.relation import relation_figure
from htsr_ref.plots.ridges import ridge_figure
from htsr_ref.plots.tails import tail_figure
from htsr_ref.reports.judgments import verdict_words
from htsr_ref.reports.markdown import convention_text
from htsr_ref.text.order import by_depth

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    import numpy as np
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from htsr_ref.analysis.checks import Checks
    from htsr_ref.analysis.planning import PlannedLayer
    from htsr_ref.analysis.tail_view import TailView
    from htsr_ref.reports.report import LayerReport, MatrixReport, Report
    from htsr_ref.spectra.solvers import SolverChoice
    from htsr_ref.spectra.store import SpectrumStore

LONGEST_NAME = 80
"""Characters of a name in the name of a file."""


def write_figures(
    folder: Path,
    report: Report,
    planned: Sequence[PlannedLayer],
    *,
    checks: Checks,
    solver: SolverChoice,
    store: SpectrumStore,
    progress: Callable[[str, float, float], None] | None = None,
) -> int:
    """Write the figures of a model and of every matrix; return how many.

    Parameters
    ----------
    folder : where to; it is made if it is not there.
    report : of the model.
    planned : its layers, as they were analyzed.
    checks : what was asked about every matrix.
    solver, store : those of the analysis; the store has the eigenvalues.
    progress : called with the layer's name, the layers done and their number.

    Raises
    ------
    HtsrError
        A figure cannot be written.

    Spec: FIG-8.
    """
    try:
        folder.mkdir(exist_ok=True)
    except OSError as error:
        raise HtsrError(f"{folder}: cannot be written ({error.strerror})") from error
    names: list[str] = []
    layers: list[str] = []
    spectra: list[NDArray[np.float64]] = []
    for place, (layer, item) in enumerate(zip(report.layers, planned, strict=True)):
        if progress is not None:
            progress(layer.name, place, len(planned))
        for found in layer.matrices:
            view = view_matrix(
                item.matrices[found.index],
                found,
                report.convention,
                solver=solver,
                checks=checks,
                layer=place,
                store=store,
            )
            if view.values.size:
                save_figure(
                    matrix_figure(report, layer, found, view),
                    folder / file_name(place, layer, found),
                )
                names.append(matrix_name(layer, found))
                layers.append(layer.name)
                spectra.append(view.values)
    if not names:
        return 0
    order = by_depth(layers)
    model = model_figures(report, [names[i] for i in order], [spectra[i] for i in order])
    for name, figure in model.items():
        save_figure(figure, folder / f"model-{name}.svg")
    return len(names) + len(model)


def matrix_figure(
    report: Report, layer: LayerReport, found: MatrixReport, view: TailView
) -> Figure:
    """Draw all that is known of one matrix of a report.

    Spec: FIG-5.
    """
    shape = f"{found.N}×{found.M}"
    return tail_figure(
        view,
        title_lines(
            matrix_name(layer, found),
            report.source.title,
            f"{shape}; convention {convention_text(report.convention)}",
        ),
    )


def model_figures(
    report: Report, names: Sequence[str], spectra: Sequence[NDArray[np.float64]]
) -> dict[str, Figure]:
    """Draw the figures of a model, by name.

    Parameters
    ----------
    report : of the model.
    names, spectra : of its matrices by depth, and their positive eigenvalues, (n,) float64.

    Spec: FIG-6.
    """
    words = verdict_words(report)
    return {
        "alpha": alpha_by_depth(report, words),
        "norms": relation_figure(report, words),
        "spectra": ridge_figure(names, spectra, report_title(report, "spectra by depth")),
    }


def file_name(place: int, layer: LayerReport, found: MatrixReport) -> str:
    """Name of the file of a matrix's figures: unique, and safe on every system.

    Spec: FIG-8.
    """
    name = re.sub(r"[^A-Za-z0-9._-]+", "-", layer.name)[:LONGEST_NAME]
    matrix = f"-m{found.index}" if len(layer.matrices) > 1 else ""
    return f"{place + 1:04d}-{name}{matrix}.svg"
