"""Synthetic weight files: what they hold, and that what they promise comes true."""

import math

import numpy as np
import pytest

from htsr_ref.analysis.analyzing import analyze
from htsr_ref.conventions import SDM2020_TEXT
from htsr_ref.errors import EnsembleError, ExpectationError
from htsr_ref.randommatrix import ensembles
from htsr_ref.synthetic import writing
from htsr_ref.synthetic.expectations import compare, from_json
from htsr_ref.synthetic.recipes import ENSEMBLES
from htsr_ref.synthetic.writing import Recipe, write_synthetic
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
def test_a_file_takes_half_the_memory_at_most(tmp_path, monkeypatch):
    monkeypatch.setattr(writing, "physical_memory", lambda: 2 * 8 * 6 * 4 * 3)
    recipe = {"shape": (6, 4), "layers": 3}
    written(tmp_path, "gaussian", **recipe)
    with pytest.raises(EnsembleError, match="make fewer or smaller ones"):
        written(tmp_path, "gaussian", **recipe | {"layers": 4})


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
        "generator": "numpy.random.PCG64(SeedSequence(seed).spawn(layers)[i])",
    }
    again = written(tmp_path, name, suffix=".again")
    assert again.read_bytes() == (tmp_path / f"{name}.safetensors").read_bytes()


@pytest.mark.spec("RMT-11")
def test_layers_draw_from_children_of_the_seed(tmp_path):
    weights = open_weights(written(tmp_path, "gaussian", shape=(120, 240)))
    for layer, child in zip(weights.layers, np.random.SeedSequence(5).spawn(3), strict=True):
        rng = np.random.Generator(np.random.PCG64(child))
        W = ensembles.gaussian(240, 120, rng, sigma=0.5)
        assert np.array_equal(layer.data[...], W.T)


@pytest.mark.spec("RMT-11")
def test_hdf5_holds_the_same(tmp_path):
    one, other = (
        open_weights(written(tmp_path, "pareto", suffix=s)) for s in (".h5", ".safetensors")
    )
    assert one.format == "hdf5"
    assert one.extra == other.extra
    assert np.array_equal(one.layers[2].data[...], other.layers[2].data[...])


def promised(path):
    return from_json(open_weights(path).extra["expected"], path.name)


@pytest.mark.spec("RMT-12", "RMT-13")
@pytest.mark.parametrize("solver", ["gram", "svd"])
@pytest.mark.parametrize("name", sorted(set(RECIPES) - {"levy-stable"}))
def test_what_is_promised_comes_true(tmp_path, name, solver):
    path = written(tmp_path, name, layers=8)
    expected = promised(path)
    assert list(expected) == [f"layer{i}" for i in range(8)]
    outcome = compare(analyze(path, SDM2020_TEXT, solver=solver), expected)
    assert outcome.misses == ()
    assert outcome.met >= 8


@pytest.mark.spec("RMT-13")
def test_of_stable_entries_nothing_is_promised(tmp_path):
    with pytest.raises(ExpectationError, match="carries no expectations"):
        promised(written(tmp_path, "levy-stable"))


@pytest.mark.spec("RMT-12", "RMT-13")
@pytest.mark.parametrize(
    "name", ["gaussian", "spiked", "prescribed", "power-law", "low-rank-plus-noise"]
)
@pytest.mark.parametrize("factor", [math.sqrt(2), 1 / math.sqrt(2), math.sqrt(240)])
def test_another_normalization_is_noticed(tmp_path, name, factor):
    """√2·W in place of W: as if X were WᵀW/M; √N·W: as if it were WᵀW."""
    path = written(tmp_path, name)
    arrays = {layer.name: layer.data[...] * factor for layer in open_weights(path).layers}
    assert compare(analyze(arrays, SDM2020_TEXT), promised(path)).misses


@pytest.mark.spec("RMT-12", "RMT-13")
@pytest.mark.parametrize("mu", [1.0, 3.0])
def test_another_tail_index_is_noticed_in_several_layers(tmp_path, mu):
    expected = promised(written(tmp_path, "pareto", parameters={"mu": mu}, shape=(200, 100)))
    other = written(tmp_path, "pareto", parameters={"mu": 2.0}, shape=(200, 100), layers=8)
    eight = {f"layer{i}": expected["layer0"] for i in range(8)}
    misses = compare(analyze(other, SDM2020_TEXT), eight).misses
    assert any("alpha is" in miss for miss in misses)


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
