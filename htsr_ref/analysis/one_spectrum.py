"""The eigenvalues of one weight matrix of a model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from htsr_ref.analysis.matrix_spectrum import spectrum_under
from htsr_ref.analysis.planning import PlannedLayer, plan, plan_layer
from htsr_ref.conventions import DEFAULT, Convention, get_convention
from htsr_ref.errors import WeightFileError, shown
from htsr_ref.machine.blas import blas_threads
from htsr_ref.spectra.cache import opened_cache
from htsr_ref.text.nearest import did_you_mean
from htsr_ref.weights.asking import asked_weights

if TYPE_CHECKING:
    from collections.abc import Mapping

    from htsr_ref.spectra.cache import Cache
    from htsr_ref.spectra.eigenvalues import Spectrum
    from htsr_ref.spectra.solvers import SolverChoice
    from htsr_ref.spectra.store import SpectrumStore
    from htsr_ref.weights import Weights
    from htsr_ref.weights.opening import WeightSource


def spectrum(
    source: WeightSource | Weights,
    layer: str | None = None,
    matrix: int = 0,
    convention: Convention | str = DEFAULT,
    *,
    layers: Mapping[str, Mapping[str, Any]] | None = None,
    solver: SolverChoice = "auto",
    cache: Cache | None = None,
    store: SpectrumStore | None = None,
) -> Spectrum:
    """Compute the eigenvalues of one weight matrix as an analysis finds them.

    Parameters
    ----------
    source, convention, layers, solver, cache : as for `analyze`.
    layer : name of the layer; may be left out where only one has matrices.
    matrix : which of its matrices.
    store : where eigenvalues are kept instead, for figures.

    Returns
    -------
    Spectrum. `eigenvalues` are ascending; `positive` leaves out those that count as zero.

    Raises
    ------
    HtsrError
        The source cannot be read, or there is no such layer or matrix.

    Spec: SPC-1, SPC-5, SCL-2, SCL-20.

    >>> import numpy as np
    >>> spectrum(np.diag([3.0, 1.0])).eigenvalues
    array([1., 9.])
    """
    chosen = get_convention(convention)
    weights = asked_weights(source, layers=layers)
    item = planned_layer(weights, layer, chosen)
    if not 0 <= matrix < len(item.matrices):
        raise WeightFileError(
            weights.name,
            f"layer {shown(item.layer.name)} has no matrix {matrix}",
            f"It has matrices 0 to {len(item.matrices) - 1}",
        )
    with blas_threads(1), opened_cache(cache) as opened:
        kept = opened if store is None else store
        return spectrum_under(item.matrices[matrix], chosen, solver, kept)


def planned_layer(weights: Weights, name: str | None, convention: Convention) -> PlannedLayer:
    """Find a layer that has matrices by its name, or the only one.

    Raises
    ------
    WeightFileError
        There is no such layer, it has no matrices, or none is named and there are several.
    """
    if name is None:
        able = [item for item in plan(weights, convention) if item.skipped is None]
        if len(able) != 1:
            raise WeightFileError(
                weights.name, f"{len(able)} layers have matrices", "Name one of its layers"
            )
        return able[0]
    layers = {layer.name: layer for layer in weights.layers}
    if name not in layers:
        raise WeightFileError(
            weights.name,
            f"no layer {shown(name)}",
            did_you_mean(name, layers, "`htsr describe` lists the layers"),
        )
    item = plan_layer(layers[name], convention)
    if item.skipped is not None:
        raise WeightFileError(
            weights.name,
            f"layer {shown(name)} has no matrices: {item.skipped}",
            "Name another layer",
        )
    return item
