"""Layers under many conventions: the same numbers, each spectrum once."""

import numpy as np
import pytest
from audit_tables import opened, report, small_model

from htsr_ref.audits import SharedSpectra
from htsr_ref.conventions import CONVENTIONS
from htsr_ref.spectra import store
from htsr_ref.spectra.solvers import SOLVERS
from htsr_ref.weights import open_weights


@pytest.fixture
def solved(monkeypatch):
    """Cuts that were solved."""
    found = []

    def counted(solver):
        def solve(matrix):
            found.append((matrix.N, matrix.M))
            return SOLVERS[solver](matrix)

        return solve

    monkeypatch.setattr(store, "SOLVERS", {solver: counted(solver) for solver in SOLVERS})
    return found


@pytest.mark.spec("AUD-9")
@pytest.mark.parametrize("network", ["small", "convnet"])
def test_layers_are_those_of_an_analysis(network):
    weights = open_weights(small_model()) if network == "small" else opened(network)
    shared = SharedSpectra(weights, "svd")
    conventions = [
        *CONVENTIONS.values(),
        CONVENTIONS["sdm2020-text"].override({"conv": "group-slices"}),
    ]
    conventions.append(conventions[0].override({"conv": "operator", "map_size": 5}))
    for convention in conventions:
        made = report(weights, convention).layers
        assert [shared.layer(i, convention) for i in range(len(made))] == list(made)


@pytest.mark.spec("AUD-9")
def test_every_cut_is_solved_once(solved):
    weights = open_weights({name: small_model()[name] for name in ("fc", "conv")})
    shared = SharedSpectra(weights)
    alike = (
        "sdm2020-text",
        "sdm2020",
        "weightwatcher-0.7.7",
        "weightwatcher-0.2.7",
        "alphapruning",
        "setol",
    )
    for name in alike:
        for place in range(2):
            shared.layer(place, CONVENTIONS[name])
    assert solved == [(64, 48)] + [(52, 50)] * 4
    shared.layer(1, CONVENTIONS["deepdataprofiler"])
    assert solved[5:] == [(208, 50)]


@pytest.mark.spec("AUD-9")
def test_auto_takes_gram_where_the_smallest_eigenvalue_can_be_trusted():
    model = small_model()
    arrays = {"fc": model["fc"].astype("float32"), "low": model["low"], "wide": model["fc"]}
    weights = open_weights(arrays)
    shared = SharedSpectra(weights)
    used = [
        shared.layer(i, CONVENTIONS["weightwatcher-0.7.7"]).matrices[0].solver for i in range(3)
    ]
    assert used == ["gram", "svd", "svd"]  # low has rank 3 of 21; wide is float64.
    gram = SharedSpectra(weights, "gram")
    assert gram.layer(1, CONVENTIONS["sdm2020-text"]).matrices[0].solver == "gram"
    bad = SharedSpectra(open_weights({"bad": np.full((9, 8), np.nan, np.float32)}))
    assert bad.layer(0, CONVENTIONS["sdm2020-text"]).skip_code == "bad-data"
