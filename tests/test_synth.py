"""Synthetic weight files: what they hold, and that what they promise comes true."""

import math

import numpy as np
import pytest

from htsr_ref.analysis import analyze
from htsr_ref.errors import EnsembleError
from htsr_ref.expectations import compare, from_json
from htsr_ref.randommatrix import ensembles
from htsr_ref.recipes import ENSEMBLES
from htsr_ref.synth import Recipe, write_synthetic
from htsr_ref.weights import open_weights

RECIPES = {
    "gaussian": {"sigma": 0.5},
    "pareto": {"mu": 1.5},
    "levy-stable": {"mu": 1.2},
    "student-t": {"dof": 3.0},
    "spiked": {"spikes": [3.0, 2.0], "sigma": 2.0},
    "prescribed": {"singular_values": list(range(1, 121))},
    "power-law": {"alpha": 2.5},
    "gaussian-with-heavy-part": {"mu": 1.5},
    "low-rank-plus-noise": {"rank": 5, "strength": 3.0},
    "correlated-rows": {"rho": 0.7},
}
SHAPE = (240, 120)


def written(tmp_path, name, suffix=".safetensors", **changes):
    path = tmp_path / f"{name}{suffix}"
    recipe = {"parameters": RECIPES[name], "shape": SHAPE, "layers": 3, "seed": 5} | changes
    write_synthetic(path, Recipe(name, **recipe))
    return path


@pytest.mark.spec("RMT-11")
def test_every_ensemble_has_a_recipe_here():
    assert RECIPES.keys() == ENSEMBLES.keys()


@pytest.mark.spec("RMT-11")
@pytest.mark.parametrize("name", RECIPES)
def test_the_file_holds_the_matrices_and_the_recipe(tmp_path, name):
    weights = open_weights(written(tmp_path, name))
    assert [layer.name for layer in weights.layers] == ["layer0", "layer1", "layer2"]
    assert all(layer.shape == SHAPE and layer.dtype == "float64" for layer in weights.layers)
    assert weights.extra["recipe"] == {
        "ensemble": name,
        "parameters": {**ENSEMBLES[name].parameters, **RECIPES[name]},
        "shape": [240, 120],
        "layers": 3,
        "seed": 5,
    }
    again = written(tmp_path, name, suffix=".again")
    assert again.read_bytes() == (tmp_path / f"{name}.safetensors").read_bytes()


@pytest.mark.spec("RMT-11")
def test_layers_draw_from_children_of_the_seed(tmp_path):
    weights = open_weights(written(tmp_path, "gaussian", shape=(120, 240)))
    for layer, child in zip(weights.layers, np.random.SeedSequence(5).spawn(3), strict=True):
        W = ensembles.gaussian(240, 120, np.random.default_rng(child), sigma=0.5)
        assert np.array_equal(layer.data[...], W.T)


@pytest.mark.spec("RMT-11")
def test_hdf5_holds_the_same(tmp_path):
    one, other = (
        open_weights(written(tmp_path, "pareto", suffix=s)) for s in (".h5", ".safetensors")
    )
    assert one.format == "hdf5"
    assert one.extra == other.extra
    assert np.array_equal(one.layers[2].data[...], other.layers[2].data[...])


@pytest.mark.spec("RMT-12")
@pytest.mark.parametrize("name", RECIPES)
def test_what_is_promised_comes_true(tmp_path, name):
    path = written(tmp_path, name, layers=8)
    expected = from_json(open_weights(path).extra["expected"])
    outcome = compare(analyze(path), expected)
    assert outcome.misses == ()
    unknown = name in ("levy-stable", "student-t", "gaussian-with-heavy-part")
    assert (outcome.met == 0) is unknown


@pytest.mark.spec("RMT-12")
@pytest.mark.parametrize("name", sorted(set(RECIPES) - {"pareto", "power-law"}))
def test_the_missing_factor_of_n_is_noticed(tmp_path, name):
    """W·√N in place of W: as if X were WᵀW, with eigenvalues and norms N times as large."""
    path = written(tmp_path, name)
    expected = from_json(open_weights(path).extra["expected"])
    arrays = {layer.name: layer.data[...] * math.sqrt(240) for layer in open_weights(path).layers}
    outcome = compare(analyze(arrays), expected)
    assert outcome.misses or not any(expected.values())


@pytest.mark.spec("RMT-12")
def test_gaussian_expectations_in_closed_form(tmp_path):
    path = written(tmp_path, "gaussian", shape=(1600, 900), layers=1)
    intervals = {
        one.metric: one for one in from_json(open_weights(path).extra["expected"])["layer0"]
    }
    t = math.sqrt(2 * math.log(1e9))
    largest = intervals["lambda_max"]
    assert largest.high == pytest.approx(0.25 * (40 + 30 + t) ** 2 / 1600, rel=1e-12)
    assert intervals["lambda_min"].low == pytest.approx(0.25 * (40 - 30 - t) ** 2 / 1600)
    # The χ² of 1,440,000 entries is within 6.1 of its deviations √(2·1,440,000) of its mean.
    norm = intervals["log10_frobenius_norm"]
    assert 10 ** (2 * norm.high) == pytest.approx(0.25 * 1.44e6, rel=6.2 * math.sqrt(2 / 1.44e6))


@pytest.mark.spec("RMT-12")
def test_below_its_threshold_nothing_is_promised(tmp_path):
    for name, parameters in (
        ("spiked", {"spikes": [0.5]}),
        ("low-rank-plus-noise", {"rank": 2, "strength": 0.5}),
    ):
        path = written(tmp_path, name, parameters=parameters)
        assert not any(from_json(open_weights(path).extra["expected"]).values())


@pytest.mark.spec("RMT-12")
def test_alpha_is_promised_where_the_table_and_the_theory_reach(tmp_path):
    promised = {}
    for mu, shape in ((1.5, (200, 100)), (3.0, (200, 100)), (1.5, (20, 10))):
        path = written(tmp_path, "pareto", parameters={"mu": mu}, shape=shape, layers=1)
        expected = from_json(open_weights(path).extra["expected"])["layer0"]
        promised[mu, shape] = {one.metric for one in expected}
    assert promised[1.5, (200, 100)] == {"alpha", "log10_frobenius_norm"}
    assert promised[3.0, (200, 100)] == promised[1.5, (20, 10)] == {"log10_frobenius_norm"}


@pytest.mark.spec("RMT-11")
@pytest.mark.parametrize(
    ("recipe", "words"),
    [
        (("wishart", {}, (4, 3)), "no ensemble 'wishart'"),
        (("pareto", {}, (4, 3)), "pareto needs mu"),
        (("gaussian", {"mu": 1.0}, (4, 3)), "gaussian has no parameter mu"),
        (("gaussian", {}, (4, 0)), "at least one layer"),
        (("prescribed", {"singular_values": [1.0]}, (4, 3)), "1 singular values"),
        (("spiked", {"spikes": [1.0] * 4}, (4, 3)), "4 spikes do not fit"),
        (("gaussian", {}, (10**5, 10**5), 1000), "GB"),
    ],
)
def test_recipes_that_cannot_be_made(tmp_path, recipe, words):
    with pytest.raises(EnsembleError, match=words):
        write_synthetic(tmp_path / "x.safetensors", Recipe(*recipe))
    assert list(tmp_path.iterdir()) == []
