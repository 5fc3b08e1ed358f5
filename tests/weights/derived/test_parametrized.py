"""DER-1 to DER-5: weights under PyTorch's parametrizations are what PyTorch multiplies with.

The fixtures hold a state dict that PyTorch wrote and the weights that its modules computed from
it, in float64 and float32 (`fixtures/make.py`).
"""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from safetensors.numpy import load_file

from htsr_ref import analyze
from htsr_ref.weights import open_weights

FIXTURES = Path(__file__).parent / "fixtures"
LAYERS = {
    layer.plain_name: layer for layer in open_weights(FIXTURES / "parametrized.safetensors").layers
}
WIDE, NARROW = (
    load_file(FIXTURES / f"parametrized.{t}.safetensors") for t in ("float64", "float32")
)
REFUSED = ("orthogonal.weight",)
COMPUTED = sorted(WIDE.keys() - REFUSED)


def as_stored(layer):
    """A layer's weight in the order of its axes in the file."""
    order = layer.data.layout.order
    return layer.data[...].transpose(np.argsort(order))


@pytest.mark.spec("DER-1", "DER-2", "DER-3", "DER-4")
@pytest.mark.parametrize("name", COMPUTED)
def test_weights_are_what_pytorch_computes(name):
    found = as_stored(LAYERS[name])
    np.testing.assert_array_max_ulp(found, WIDE[name], maxulp=4)
    # Rounded to the stored type, it is what PyTorch rounds its float64 to: bit for bit.
    np.testing.assert_array_equal(found.astype(np.float32), WIDE[name].astype(np.float32))
    np.testing.assert_array_max_ulp(found.astype(np.float32), NARROW[name], maxulp=4)


@pytest.mark.spec("DER-2")
@pytest.mark.parametrize("name", [name for name in COMPUTED if name.startswith("pruned")])
def test_pruned_weights_are_bit_for_bit_those_of_pytorch(name):
    found = as_stored(LAYERS[name])
    np.testing.assert_array_equal(found, WIDE[name])
    np.testing.assert_array_equal(found, NARROW[name])
    assert (found == 0).any()


@pytest.mark.spec("DER-1")
def test_a_computed_weight_has_the_axes_and_the_layer_of_its_module():
    found = {
        name: (layer.name, layer.role, layer.axes, layer.dtype)
        for name, layer in LAYERS.items()
        if name in ("new_norm_up.weight", "pruned_lstm.weight_hh_l0", "pruned.bias")
    }
    assert found == {
        "new_norm_up.weight": ("new_norm_up", "weight", ("out", "in", "k1"), "float32"),
        "pruned_lstm.weight_hh_l0": (
            "pruned_lstm.weight_hh_l0",
            "recurrent",
            ("out", "in"),
            "float32",
        ),
        "pruned.bias": ("pruned.bias", "bias", (), "float32"),
    }
    assert LAYERS["new_norm_up.weight"].shape == (6, 4, 3)
    assert LAYERS["pruned.weight"].decided.endswith("pruned by the mask beside it")
    assert [part.name for part in LAYERS["pruned_lstm.weight_hh_l0"].parts] == list("ifgo")


@pytest.mark.spec("DER-1")
def test_a_module_alone_has_no_name():
    parts = {"original0": np.ones((2, 1)), "original1": np.eye(2, 3)}
    marked = {f"parametrizations.weight.{name}": part for name, part in parts.items()}
    (weight,) = [layer for layer in open_weights(marked).layers if layer.role == "weight"]
    assert weight.plain_name == "weight"


@pytest.mark.spec("DER-1")
def test_parts_are_no_weights():
    roles = {name: layer.role for name, layer in LAYERS.items()}
    assert roles["old_norm.weight_g"] == "scale"
    assert roles["pruned.weight_mask"] == "mask"
    assert roles["old_spectral.weight_u"] == "buffer"
    assert roles["new_spectral.parametrizations.weight.0._v"] == "buffer"


def opened(**arrays):
    weights = open_weights({name.replace("__", "."): a for name, a in arrays.items()})
    return {layer.tensor: layer for layer in weights.layers}


W = np.arange(1.0, 13.0).reshape(4, 3)


@pytest.mark.spec("DER-5")
@pytest.mark.parametrize(
    ("arrays", "reason"),
    [
        ({"p.parametrizations.weight.original": W, "p.parametrizations.weight.0.base": W}, "ortho"),
        ({"p.parametrizations.weight.original": W}, "nothing stored tells"),
        (
            {f"p.parametrizations.weight.original{at}": W[:, :n] for at, n in ((0, 2), (1, 3))},
            "two parts that is not weight norm",
        ),
        (
            {f"p.parametrizations.weight.original{at}": W for at in range(3)},
            "not known, or under several",
        ),
        ({"p.weight_orig": W}, "its parametrization is not known"),
        ({"p.weight_orig": W, "p.weight_u": W[:, 0]}, "the vector v is not stored"),
        ({"p.weight_orig": W, "p.weight_mask": W, "p.weight_u": W}, "is not known"),
        ({"p.weight_orig": W, "p.weight_mask": W, "p.weight": W}, "stored as well"),
        ({"p.weight_orig": W, "p.weight_mask": W.astype("c16")}, "complex128 are not decoded"),
    ],
)
def test_what_is_not_known_is_refused_with_its_reason(arrays, reason):
    report = analyze(arrays)
    parts = [layer for layer in report.layers if layer.tensor != "p.weight"]
    assert {layer.skip_code for layer in parts} == {"not-understood"}
    assert all(reason in layer.skipped for layer in parts)


@pytest.mark.spec("DER-5")
@pytest.mark.parametrize(
    ("arrays", "reason"),
    [
        ({"p.weight_orig": W, "p.weight_mask": W[:, :2]}, "has the shape (4, 2)"),
        ({"p.weight_g": W[:, 0], "p.weight_v": W}, "does not go with its shape"),
        (
            {"p.weight_orig": W, "p.weight_u": W[:3, 0], "p.weight_v": W[:3, 0]},
            "do not go with its shape",
        ),
    ],
)
def test_parts_that_contradict_each_other_are_bad_data(arrays, reason):
    report = analyze(arrays)
    assert {layer.skip_code for layer in report.layers} == {"bad-data"}
    assert all(reason in layer.skipped for layer in report.layers)


@pytest.mark.spec("DER-3")
@pytest.mark.parametrize("first", [0, 1e200])
def test_a_direction_of_length_zero_or_beyond_float64_is_bad_data(first):
    report = analyze({"p.weight_g": np.ones((4, 1)), "p.weight_v": W * [[first], [1], [1], [1]]})
    layer = next(layer for layer in report.layers if layer.tensor == "p.weight_v")
    assert layer.skip_code == "bad-data"
    assert "'p.weight_v'" in layer.skipped
    assert "[0, 0] is nan" in layer.skipped


@pytest.mark.spec("DER-1")
@pytest.mark.parametrize("names", [("q_g", "q_v"), ("image_orig",), ("attn_mask",), ("a.x_v",)])
def test_names_alone_prove_no_parametrization(names):
    for layer in opened(**dict.fromkeys(names, W)).values():
        assert layer.code != "not-understood"
        assert "DerivedTensor" not in type(layer.data.backing).__name__


@pytest.mark.spec("DER-1")
@given(
    st.tuples(st.integers(1, 4), st.integers(1, 4), st.integers(1, 3)),
    st.sampled_from(["pruned", "normed"]),
    st.data(),
)
def test_a_part_of_a_weight_is_that_part_of_the_whole(shape, kind, data):
    values = np.random.default_rng(0).standard_normal((2, *shape))
    length = data.draw(st.sampled_from([(shape[0], 1, 1), (1, shape[1], 1), (1, 1, 1), ()]))
    g = np.full(length, 2.0)
    arrays = (
        {"conv.weight_orig": values[0], "conv.weight_mask": values[1] > 0}
        if kind == "pruned"
        else {"conv.weight_g": g, "conv.weight_v": values[0]}
    )
    layer = next(layer for layer in open_weights(arrays).layers if layer.role == "weight")
    axes = tuple(axis for axis in range(3) if g.ndim == 0 or length[axis] == 1)
    expected = (
        values[0] * (values[1] > 0)
        if kind == "pruned"
        else values[0] * (2 / np.sqrt((values[0] ** 2).sum(axis=axes, keepdims=True)))
    )
    whole = layer.data[...]
    np.testing.assert_allclose(whole, expected, rtol=1e-14)
    index = tuple(
        data.draw(st.one_of(st.integers(0, size - 1), st.slices(size))) for size in whole.shape
    )
    np.testing.assert_array_equal(layer.data[index], whole[index])
    np.testing.assert_array_equal(layer.data.load()[index], whole[index])
