"""The bulk and the phase of a matrix in reports."""

import csv
import io

import numpy as np
import pytest

from htsr_ref import analyze
from htsr_ref.conventions import SDM2020_TEXT
from htsr_ref.randommatrix.bulk import fit_bulk
from htsr_ref.randommatrix.ensembles import gaussian, pareto, spiked
from htsr_ref.reports.markdown import to_markdown
from htsr_ref.reports.plain_text import report_table
from htsr_ref.spectra.eigenvalues import spectrum

RNG = np.random.default_rng(30)
GAUSSIAN = gaussian(300, 150, RNG)
SPIKED = spiked(300, 150, [9.0, 7.0], RNG)
PARETO = pareto(300, 150, 1.0, RNG)


@pytest.mark.spec("RMT-37")
def test_each_matrix_has_its_phase_and_bulk():
    layers = {"noise": GAUSSIAN, "signal": SPIKED, "heavy": PARETO, "zero": np.zeros((4, 3))}
    matrices = [layer.matrices[0] for layer in analyze(layers, SDM2020_TEXT).layers]
    phases = [matrix.phase for matrix in matrices]
    assert phases == ["random-like", "bulk+spikes", "heavy-tailed", "rank-collapse"]
    assert [matrix.mp and matrix.mp.num_spikes for matrix in matrices[:2]] == [0, 2]
    assert matrices[3].mp is None
    assert matrices[1].mp == fit_bulk(spectrum(SPIKED).eigenvalues, 300)
    assert all(matrix.phase_reason for matrix in matrices)


@pytest.mark.spec("RMT-37")
def test_zeros_by_rounding_are_left_out():
    W = np.hstack([GAUSSIAN[:, :80], GAUSSIAN[:, :40]])
    (matrix,) = analyze({"W": W}, SDM2020_TEXT).layers[0].matrices
    assert (matrix.num_zero, matrix.phase) == (40, "rank-collapse")
    assert matrix.mp.bulk_size + matrix.mp.num_spikes == 80


@pytest.mark.spec("RMT-37")
def test_spectra_put_together_have_none():
    kernel = RNG.standard_normal((60, 60, 2, 2))
    (pool,) = analyze({"W": kernel}, SDM2020_TEXT.override({"conv": "pooled"})).layers[0].matrices
    assert (pool.mp, pool.phase, pool.phase_reason) == (None, None, None)
    assert {matrix.phase for matrix in analyze({"W": kernel}, SDM2020_TEXT).layers[0].matrices} == {
        "random-like"
    }


@pytest.mark.spec("RMT-37", "RPT-6")
def test_tables_show_them():
    report = analyze({"noise": GAUSSIAN, "signal": SPIKED, "heavy": PARETO}, SDM2020_TEXT)
    rows = list(csv.DictReader(io.StringIO(report.to_csv())))
    assert [row["phase"] for row in rows] == ["random-like", "bulk+spikes", "heavy-tailed"]
    assert [row["num_spikes"] for row in rows[:2]] == ["0", "2"]
    counts = "phases of the matrices: 1 random-like, 1 bulk+spikes, 1 heavy-tailed\n"
    assert counts in report_table(report)
    assert counts in to_markdown(report)
    assert "phases" not in report_table(analyze({"b": np.ones(3)}, SDM2020_TEXT))


@pytest.mark.spec("RMT-37")
def test_a_rank_lost_to_rounding_counts_as_lost():
    W = (GAUSSIAN[:, :75] @ RNG.standard_normal((75, 150))).astype(np.float32)
    (matrix,) = analyze({"W": W}, SDM2020_TEXT, solver="svd").layers[0].matrices
    assert matrix.num_zero < 75 == matrix.rank
    assert matrix.phase == "rank-collapse"
