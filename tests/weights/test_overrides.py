"""FMT-16: the user's corrections."""

import numpy as np
import pytest

from htsr_ref.errors import WeightFileError
from htsr_ref.weights import Part, TensorSpec, open_weights, write_weights

W = np.arange(12.0).reshape(3, 4)


def only(arrays, overrides):
    (layer,) = open_weights(arrays, overrides).layers
    return layer


@pytest.mark.spec("FMT-16")
def test_axes_of_the_stored_tensor():
    layer = only({"fc.weight": W}, {"fc.weight": {"axes": ["in", "out"], "layer": "first"}})
    assert (layer.name, layer.shape, layer.decided) == ("first", (4, 3), "override: fc.weight")
    np.testing.assert_array_equal(layer.data[1:, :2], W.T[1:, :2])


@pytest.mark.spec("FMT-16")
def test_any_order_of_conv_axes():
    array = np.arange(2 * 3 * 4 * 5.0).reshape(2, 3, 4, 5)
    layer = only({"w": array}, {"w": {"role": "weight", "axes": ["k2", "out", "k1", "in"]}})
    np.testing.assert_array_equal(layer.data[...], array.transpose(1, 3, 2, 0))


@pytest.mark.spec("FMT-16")
@pytest.mark.parametrize(
    ("shape", "override", "axes"),
    [
        ((3, 4), {"role": "embedding"}, ("out", "in")),
        ((2, 3, 4, 5), {"role": "weight"}, ("out", "in", "k1", "k2")),
        ((2, 3, 4), {"role": "bias"}, ()),
        ((2, 3, 4), {"role": "weight", "axes": ["out", "in", "in"]}, ("out", "in")),
    ],
)
def test_role(shape, override, axes):
    layer = only({"w": np.zeros(shape)}, {"w": override})
    assert (layer.role, layer.axes) == (override["role"], axes)
    assert layer.left_out == ("bias" if override["role"] == "bias" else None)


@pytest.mark.spec("FMT-16")
def test_a_role_keeps_the_axes_found():
    layer = only({"dense/kernel": W}, {"dense/kernel": {"role": "embedding"}})
    np.testing.assert_array_equal(layer.data[...], W.T)


@pytest.mark.spec("FMT-16")
def test_what_was_left_out_by_a_rule_comes_back():
    layer = only({"slot.weight": W}, {"slot.weight": {"role": "weight"}})
    assert layer.left_out is None


@pytest.mark.spec("FMT-4", "FMT-16")
def test_parts():
    override = {"parts": [{"name": "q", "size": 1}, {"name": "kv", "size": 2}]}
    layer = only({"qkv.weight": W}, {"*.weight": override})
    assert layer.parts == (Part("q", 1), Part("kv", 2))
    assert layer.decided == "override: *.weight"


@pytest.mark.spec("FMT-16")
def test_null_clears_parts_that_were_guessed():
    arrays = {"gate_up_proj.weight": np.zeros((6, 4))}
    assert [part.name for part in only(arrays, {}).parts] == ["gate", "up"]
    assert only(arrays, {"gate_up_proj": {"parts": None}}).parts == ()


@pytest.mark.spec("FMT-16")
def test_names_of_layers_and_tensors_are_both_known():
    by_layer = only({"block.fc.weight": W}, {"block.fc": {"axes": ["in", "out"]}})
    by_tensor = only({"block.fc.weight": W}, {"block.fc.weight": {"axes": ["in", "out"]}})
    by_pattern = only({"block.fc.weight": W}, {"*.fc": {"axes": ["in", "out"]}})
    assert by_layer.shape == by_tensor.shape == by_pattern.shape == (4, 3)


@pytest.mark.spec("FMT-16")
def test_a_name_that_matches_nothing_is_told_the_nearest_names():
    with pytest.raises(WeightFileError, match=r"Did you mean .*'encoder\.fc1'"):
        open_weights({"encoder.fc1.weight": W}, {"encoder.fc2": {"skip": "x"}})


@pytest.mark.spec("FMT-16")
def test_groups_and_quantization():
    conv = np.ones((4, 2, 3), dtype=np.int8)
    override = {"groups": 2, "quantization": {"scale": [1, 2, 3, 4], "axis": 0}}
    layer = only({"conv.weight": conv}, {"conv.weight": override})
    assert (layer.groups, layer.left_out) == (2, None)
    assert layer.data[:, 0, 0].tolist() == [1.0, 2.0, 3.0, 4.0]


@pytest.mark.spec("FMT-14", "FMT-16")
def test_skip():
    layer = only({"fc.weight": W}, {"fc*": {"skip": "frozen"}})
    assert (layer.left_out, layer.decided) == ("frozen", "override: fc*")


@pytest.mark.spec("FMT-16")
def test_precedence():
    arrays = {"a.weight": W, "b.weight": W, "c[0].weight": W}
    overrides = {
        "c[0].weight": {"role": "recurrent"},
        "*": {"role": "embedding"},
        "a*": {"skip": "x"},
        "b.weight": {"layer": "own"},
        "*.weight": {"role": "embedding"},
    }
    a, b, c = open_weights(arrays, overrides).layers
    assert (a.decided, a.left_out) == ("override: *.weight", None)
    assert (b.decided, b.name) == ("override: b.weight", "own")
    assert (c.decided, c.role) == ("override: c[0].weight", "recurrent")


@pytest.mark.spec("FMT-16")
def test_a_pattern_need_not_suit_a_tensor_that_another_override_takes():
    arrays = {"conv.weight": np.ones((4, 2, 3)), "fc.weight": W}
    conv, fc = open_weights(arrays, {"*": {"groups": 2}, "fc.weight": {"layer": "fc"}}).layers
    assert (conv.groups, fc.groups) == (2, 1)


@pytest.mark.spec("FMT-16")
def test_an_override_goes_before_the_manifest(tmp_path):
    path = tmp_path / "x.safetensors"
    write_weights(path, {"w": W}, {"w": TensorSpec("weight", layer="fc")})
    (layer,) = open_weights(path, {"w": {"role": "embedding"}}).layers
    assert (layer.name, layer.role, layer.decided) == ("fc", "embedding", "override: w")


BAD = {
    "no match": ({"fc*": {"skip": "x"}}, "'fc\\*' matches no tensor"),
    "case": ({"W": {"skip": "x"}}, "matches no tensor"),
    "unknown key": ({"w": {"color": 1}}, "unknown key 'color'"),
    "kind of version 1": ({"w": {"kind": "linear"}}, "unknown key 'kind'"),
    "role": ({"w": {"role": "dense"}}, "role must be one of"),
    "skip and role": ({"w": {"skip": "x", "role": "bias"}}, "stand alone"),
    "skip without reason": ({"w": {"skip": ""}}, "must be the reason"),
    "skip true": ({"w": {"skip": True}}, "must be the reason"),
    "layer": ({"w": {"layer": 3}}, "layer must be a string"),
    "axes of a bias": ({"w": {"role": "bias", "axes": ["out", "in"]}}, "has no axes"),
    "rank": ({"w": {"axes": ["out", "in", "k1"], "role": "weight"}}, "has 2"),
    "unknown axis": ({"w": {"axes": ["out", "input"]}}, "there is no axis 'input'"),
    "no out": ({"w": {"axes": ["in", "in"]}}, "cannot have the axes"),
    "two k": ({"w": {"axes": ["k1", "k2"]}}, "cannot have the axes"),
    "parts": ({"w": {"parts": [{"name": "a", "size": 1}]}}, "1 rows together"),
    "groups of a matrix": ({"w": {"groups": 3}}, "groups belong to"),
    "groups": ({"w": {"role": "weight", "axes": ["out", "k1"], "groups": 2}}, "do not divide"),
    "groups and parts": (
        {
            "w": {
                "role": "weight",
                "axes": ["out", "k1"],
                "groups": 3,
                "parts": [{"name": "a", "size": 3}],
            }
        },
        "cannot be combined",
    ),
    "quantization": ({"w": {"quantization": {"scale": 1, "axis": 2}}}, "no axis 2"),
}


@pytest.mark.spec("FMT-16")
def test_three_axes_need_to_be_named():
    with pytest.raises(WeightFileError, match="3 axes needs the key axes beside its role"):
        open_weights({"w": np.zeros((2, 3, 4))}, {"w": {"role": "weight"}})


@pytest.mark.spec("FMT-5")
def test_a_scale_that_cannot_be_decoded():
    arrays = {"w": np.ones((2, 2), dtype=np.int8), "s": np.ones(1) * 1j}
    override = {"w": {"quantization": {"scale": {"tensor": "s"}}}}
    with pytest.raises(WeightFileError, match="type complex128 are not decoded"):
        open_weights(arrays, override)


@pytest.mark.spec("FMT-16", "FMT-17")
@pytest.mark.parametrize("name", BAD)
def test_bad_override(name):
    overrides, problem = BAD[name]
    with pytest.raises(WeightFileError, match=problem):
        open_weights({"w": W}, overrides)
