"""Every number of one layer, or why it has none."""

from htsr_ref import metrics
from htsr_ref.analysis.bad_entries import describe_bad_entry
from htsr_ref.analysis.checks import Checks
from htsr_ref.analysis.matrix_analysis import analyze_matrix
from htsr_ref.analysis.planning import PlannedLayer
from htsr_ref.conventions import Convention
from htsr_ref.errors import ChangedWeightsError, HtsrError, shown
from htsr_ref.metric_table import MEAN_FIELDS
from htsr_ref.reports.report import LayerReport, MatrixReport, SkipCode
from htsr_ref.spectra.solvers import NonFiniteError, SolverChoice, solver_of
from htsr_ref.spectra.store import SpectrumStore


def analyze_layer(
    item: PlannedLayer,
    convention: Convention,
    solver: SolverChoice,
    checks: Checks,
    place: int,
    store: SpectrumStore | None = None,
) -> LayerReport:
    """Compute every number of one layer.

    Parameters
    ----------
    item : the layer and its matrices, as `plan_layer` gives them.
    convention, solver, checks : see `analyze`.
    place : place of the layer in its source.
    store : where eigenvalues are kept; the tensor is not loaded if it has all of them.

    Spec: RPT-3, RPT-5, SCL-7.
    """
    if item.skipped is not None:
        return _layer_report(item, (), item.skipped, item.skip_code)
    try:
        is_kept = store is not None and _is_kept(item, solver, store)
        at_hand = item if is_kept else item.loaded()
        matrices = tuple(
            analyze_matrix(
                matrix,
                convention,
                solver=solver,
                checks=checks,
                index=index,
                layer=place,
                store=store,
            )
            for index, matrix in enumerate(at_hand.matrices)
        )
    except NonFiniteError:
        return _layer_report(item, (), describe_bad_entry(item.layer), "bad-data")
    except ChangedWeightsError:
        raise  # The file is not what was opened: nothing read of it can be relied upon.
    except MemoryError:
        return _layer_report(item, (), _out_of_memory(item, solver), "memory")
    except HtsrError as error:
        tensor = f"tensor {shown(item.layer.tensor)}"
        reason = str(error) if str(error).startswith(tensor) else f"{tensor}: {error}"
        return _layer_report(item, (), reason, "bad-data")
    return _layer_report(item, matrices, None, None)


def _out_of_memory(item: PlannedLayer, solver: SolverChoice) -> str:
    needed = item.cost(solver).memory / 1e9
    return (
        f"tensor {shown(item.layer.tensor)}: memory ran out; its analysis needs about "
        f"{needed:.3g} GB. Use a larger machine, or fewer --jobs"
    )


def _is_kept(item: PlannedLayer, solver: SolverChoice, store: SpectrumStore) -> bool:
    """Whether a store has the eigenvalues of all matrices of a layer."""
    return all(
        store.has(member, solver_of(member, solver))
        for matrix in item.matrices
        for member in matrix.members
    )


def _layer_report(
    item: PlannedLayer,
    matrices: tuple[MatrixReport, ...],
    skipped: str | None,
    skip_code: SkipCode | None,
) -> LayerReport:
    layer = item.layer
    means = {
        name: metrics.mean([getattr(matrix, name) for matrix in matrices])
        for name in (MEAN_FIELDS if matrices else ())
    }
    return LayerReport(
        name=layer.name,
        tensor=layer.tensor,
        role=layer.role,
        axes=layer.axes,
        shape=layer.shape,
        dtype=layer.dtype,
        decided=layer.decided,
        skipped=skipped,
        skip_code=skip_code,
        matrices=matrices,
        means={name: mean.value for name, mean in means.items()} if matrices else None,
        counts={name: mean.count for name, mean in means.items()} if matrices else None,
        warnings=layer.warnings + item.warnings,
    )
