"""DER-10, DER-11: the difference of two models, and a model with its adapter."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from htsr_ref import analyze
from htsr_ref.conventions import SDM2020_TEXT
from htsr_ref.errors import WeightFileError
from htsr_ref.weights import open_weights
from htsr_ref.weights.derived.combining import minus, with_adapter

FIXTURES = Path(__file__).parent / "fixtures"
ALL = SDM2020_TEXT.override({"min_dim": "0", "layer_kinds": "weight,embedding"})
BASE = FIXTURES / "base"


def numbers(weights):
    return {
        layer.tensor: layer.data[...]
        for layer in weights.layers
        if layer.left_out is None and layer.role in ("weight", "embedding")
    }


@pytest.mark.spec("DER-11")
@pytest.mark.parametrize("name", ["plain", "patterns", "conv1d"])
def test_a_model_with_its_adapter_is_what_peft_merges(name):
    found = with_adapter(open_weights(FIXTURES / name), open_weights(BASE))
    merged = numbers(open_weights(FIXTURES / f"{name}.merged.safetensors"))
    assert numbers(found).keys() == merged.keys()
    for tensor, values in numbers(found).items():
        np.testing.assert_allclose(values, merged[tensor], rtol=1e-12, atol=1e-13)


@pytest.mark.spec("DER-10", "DER-11")
@pytest.mark.parametrize("name", ["plain", "patterns", "conv1d"])
def test_base_plus_adapter_minus_base_is_the_adapter(name):
    base, adapter = open_weights(BASE), open_weights(FIXTURES / name)
    report = analyze(minus(with_adapter(adapter, base), base), ALL)
    found = {layer.name: layer.matrices[0] for layer in report.layers if layer.matrices}
    products = [layer.name for layer in adapter.layers if layer.data.product() is not None]
    alone = {layer.name: layer for layer in analyze(adapter, ALL).layers}
    for product in products:
        (expected,) = alone[product].matrices
        matrix = found[product.removeprefix("base_model.model.")]
        assert matrix.rank == expected.rank < matrix.M
        for field in ("lambda_max", "log10_frobenius_norm", "stable_rank"):
            assert getattr(matrix, field) == pytest.approx(getattr(expected, field), rel=1e-9)
    assert len(products) >= 2


@pytest.mark.spec("DER-10")
@given(st.sampled_from(["float32", "float16"]), st.integers(1, 6), st.integers(0, 2**32 - 1))
def test_the_rank_of_a_difference_counts_what_both_roundings_do_not_explain(dtype, rank, seed):
    """A model and one with a matrix of rank r added to it, both rounded when they are stored."""
    rng = np.random.default_rng(seed)
    W = rng.standard_normal((60, 40))
    added = 0.5 * rng.standard_normal((60, rank)) @ rng.standard_normal((rank, 40))
    tuned, base = {"fc": (W + added).astype(dtype)}, {"fc": W.astype(dtype)}
    (layer,) = analyze(minus(open_weights(tuned), open_weights(base)), ALL).layers
    assert layer.matrices[0].rank == rank


@pytest.mark.spec("DER-10")
def test_a_model_minus_itself_is_zero():
    base = open_weights(BASE)
    report = analyze(minus(base, base), ALL)
    matrices = [matrix for layer in report.layers for matrix in layer.matrices]
    assert matrices
    assert all(matrix.num_zero == matrix.M and matrix.alpha is None for matrix in matrices)


@pytest.mark.spec("DER-10")
def test_layers_are_matched_as_htsr_diff_matches_them():
    rng = np.random.default_rng(3)
    W, V, lone = rng.standard_normal((6, 4)), rng.standard_normal((5, 4)), np.ones((7, 3))
    tuned = {"a.weight": W, "renamed.weight": V, "new.weight": lone}
    base = {"a.weight": 0.5 * W, "b.weight": 3 * V}
    found = {x.name: x for x in minus(open_weights(tuned), open_weights(base)).layers}
    np.testing.assert_array_equal(found["a"].data[...], 0.5 * W)
    np.testing.assert_array_equal(found["renamed"].data[...], V - 3 * V)
    assert found["renamed"].decided.endswith("minus b.weight, matched by shape")
    assert (found["new"].code, "'new.weight'" in found["new"].left_out) == ("bad-data", True)


@pytest.mark.spec("DER-10")
def test_models_without_a_layer_in_common_are_refused():
    with pytest.raises(WeightFileError, match="no layer in common"):
        minus(open_weights({"a": np.ones((3, 2))}), open_weights({"b": np.ones((4, 2))}))


@pytest.mark.spec("DER-11")
@pytest.mark.parametrize("prefix", ["", "transformer."])
@pytest.mark.parametrize("prefix_of_base", ["", "transformer."])
def test_a_model_may_be_saved_without_the_module_around_it(prefix, prefix_of_base):
    rng = np.random.default_rng(5)
    down, up, W = (rng.standard_normal(shape) for shape in ((2, 5), (6, 2), (6, 5)))
    adapter = {
        f"{prefix}h.0.fc.lora_down.weight": down,
        f"{prefix}h.0.fc.lora_up.weight": up,
    }
    base = {f"{prefix_of_base}h.0.fc.weight": W, f"{prefix_of_base}h.1.fc.weight": W}
    first, second = with_adapter(open_weights(adapter), open_weights(base)).layers
    np.testing.assert_allclose(first.data[...], W + up @ down, rtol=1e-13)
    np.testing.assert_array_equal(second.data[...], W)


@pytest.mark.spec("DER-11")
def test_several_adapters_of_one_module_are_all_added():
    rng = np.random.default_rng(6)
    down, up, W = (rng.standard_normal(shape) for shape in ((2, 5), (6, 2), (6, 5)))
    adapter = {
        f"m.lora_{side}.{name}.weight": factor
        for name, scale in (("first", 1), ("second", 2))
        for side, factor in (("A", scale * down), ("B", up))
    }
    weights = open_weights(adapter | {"m.alpha": np.float64(2)})
    found = with_adapter(weights, open_weights({"m": W}))
    np.testing.assert_allclose(found.layers[0].data[...], W + 3 * up @ down, rtol=1e-12)


@pytest.mark.spec("DER-11")
def test_a_module_of_another_shape_is_bad_data():
    adapter = {"m.lora_down.weight": np.ones((1, 3)), "m.lora_up.weight": np.ones((4, 1))}
    base, alone = with_adapter(open_weights(adapter), open_weights({"m": np.ones((4, 4))})).layers
    assert (base.left_out, alone.code) == (None, "bad-data")
    assert "has it with (4, 4)" in alone.left_out


@pytest.mark.spec("DER-11")
def test_what_of_an_adapter_is_not_read_is_not_left_out_silently():
    base = open_weights(BASE)
    found = with_adapter(open_weights(FIXTURES / "dora"), base)
    assert len(found.layers) == len(base.layers) + 3
    assert {layer.code for layer in found.layers[-3:]} == {"not-understood"}


@pytest.mark.spec("DER-11")
def test_an_adapter_must_be_one():
    with pytest.raises(WeightFileError, match="it holds no adapter"):
        with_adapter(open_weights(BASE), open_weights(BASE))
