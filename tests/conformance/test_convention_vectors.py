"""Choices of conventions other than `sdm2020-text` against spec/vectors/cnv.json, case by case."""

from typing import Any

import numpy as np
import pytest
from conformance.test_vectors import cases, check

from htsr_ref import metrics
from htsr_ref.analysis.fitting import fit_eigenvalues
from htsr_ref.conventions import SDM2020_TEXT, Convention
from htsr_ref.layers.cuts import layer_matrices
from htsr_ref.spectra.accuracy import sample_accuracy
from htsr_ref.spectra.eigenvalues import spectrum
from htsr_ref.weights import open_weights

Json = Any


def convention(fields: Json) -> Convention:
    return SDM2020_TEXT.override({"min_dim": 0, **fields})


def compute_spectra(given: Json) -> Json:
    asked = convention(given["convention"])
    tensor = np.array(given["tensor"])
    linear = "linear" in given["convention"]
    array = tensor[:, :, 0, 0] if linear else tensor
    (layer,) = open_weights(
        {"W": array}, {"W": {"role": "weight", "axes": ["out", "in", "k1", "k2"][: array.ndim]}}
    ).layers
    found = [
        spectrum(matrix, normalization=asked.normalization, solver="svd")
        for matrix in layer_matrices(layer, asked)
    ]
    return {
        "N": [eigen.N for eigen in found],
        "M": [eigen.M for eigen in found],
        "eigenvalues": [eigen.eigenvalues.tolist() for eigen in found],
    }


def compute_fit(given: Json) -> Json:
    sample = np.sort(given["sample"])
    found = fit_eigenvalues(sample, sample_accuracy(sample), convention(given["convention"]))
    return {
        "alpha": found.alpha,
        "alpha_stderr": found.stderr,
        "xmin": found.xmin,
        "tail_size": found.tail_size,
        "ks_distance": found.ks_distance,
    }


def compute_metrics(given: Json) -> Json:
    eigenvalues = np.array(given["eigenvalues"])
    rank = metrics.matrix_rank(eigenvalues, given["N"])
    return {
        "rank": rank,
        "entropy": metrics.shifted_entropy(eigenvalues, rank),
        "erg_tail_size": metrics.erg_tail_size(eigenvalues),
        "delta_lambda_min": metrics.delta_lambda_min(
            eigenvalues, given["xmin"], metrics.erg_tail_size(eigenvalues)
        ),
    }


@pytest.mark.spec("SPC-9")
@cases("cnv", "cnv/spectrum/factor/")
def test_factors(case):
    check("cnv", case, compute_spectra)


@pytest.mark.spec("MAT-9", "MAT-14", "SPC-12")
@cases("cnv", "cnv/spectrum/pooled/")
def test_pooled(case):
    check("cnv", case, compute_spectra)


@pytest.mark.spec("MAT-10")
@cases("cnv", "cnv/spectrum/row-blocks/")
def test_blocks_of_rows(case):
    check("cnv", case, compute_spectra)


@pytest.mark.spec("MAT-11")
@cases("cnv", "cnv/spectrum/flattened/")
def test_flattened(case):
    check("cnv", case, compute_spectra)


@pytest.mark.spec("MAT-12")
@cases("cnv", "cnv/spectrum/operator/")
def test_operator(case):
    check("cnv", case, compute_spectra)


@pytest.mark.spec("MAT-13")
@cases("cnv", "cnv/spectrum/windows/")
def test_windows(case):
    check("cnv", case, compute_spectra)


@pytest.mark.spec("CNV-5", "CNV-6", "CNV-7", "CNV-8")
@cases("cnv", "cnv/fit/")
def test_fits(case):
    check("cnv", case, compute_fit)


@pytest.mark.spec("MET-15", "MET-16", "MET-17")
@cases("cnv", "cnv/metric/")
def test_metrics(case):
    check("cnv", case, compute_metrics)
