"""DER-6 to DER-9: adapters are the products that PEFT adds, solved from their factors.

The fixtures are adapters that PEFT saved, and what PEFT says they add (`fixtures/make.py`).
"""

import json
import math
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from safetensors.numpy import load_file, save_file

from htsr_ref import analyze
from htsr_ref.conventions import SDM2020_TEXT
from htsr_ref.layers.matrices import weight_matrix
from htsr_ref.spectra.cost import Cost, estimate_cost
from htsr_ref.spectra.eigenvalues import spectrum
from htsr_ref.weights import open_weights
from htsr_ref.weights.derived.adapter_config import lora_settings

FIXTURES = Path(__file__).parent / "fixtures"
ALL = SDM2020_TEXT.override({"min_dim": "0", "layer_kinds": "weight,embedding"})
PREFIX = "base_model.model."


def products(weights):
    return {
        layer.plain_name.removeprefix(PREFIX): layer
        for layer in weights.layers
        if layer.data.product() is not None
    }


def adapter(rank=2, shape=(6, 5), names=("m.lora_A.weight", "m.lora_B.weight"), **more):
    rng = np.random.default_rng(1)
    factors = rng.standard_normal((rank, shape[1])), rng.standard_normal((shape[0], rank))
    return dict(zip(names, factors, strict=True)) | more


def saved(folder, tensors, **config):
    folder.mkdir(exist_ok=True)
    save_file(tensors, folder / "adapter_model.safetensors")
    (folder / "adapter_config.json").write_text(json.dumps(config), encoding="utf-8")
    return folder


@pytest.mark.spec("DER-6", "DER-7")
@pytest.mark.parametrize("name", ["plain", "patterns", "conv1d"])
def test_products_are_what_peft_adds(name):
    found = products(open_weights(FIXTURES / name))
    expected = load_file(FIXTURES / f"{name}.delta.safetensors")
    assert found.keys() == expected.keys()
    for weight, delta in expected.items():
        # A Conv1D stores (in, out), and the product is (out, in).
        canonical = delta.T if name == "conv1d" else delta
        np.testing.assert_allclose(found[weight].data[...], canonical, rtol=1e-13, atol=1e-14)


@pytest.mark.spec("DER-6")
def test_modules_to_save_are_plain_weights():
    report = analyze(FIXTURES / "plain", ALL)
    layer = next(layer for layer in report.layers if layer.name == f"{PREFIX}classifier")
    assert (layer.role, layer.shape, layer.skipped) == ("weight", (5, 8), None)


@pytest.mark.spec("DER-6")
def test_an_embedding_has_its_role_and_its_vocabulary_for_outputs():
    layer = products(open_weights(FIXTURES / "patterns"))["embed_tokens.weight"]
    assert (layer.role, layer.axes, layer.shape) == ("embedding", ("out", "in"), (20, 8))


@pytest.mark.spec("DER-6")
@pytest.mark.parametrize(
    ("name", "layer"),
    [
        ("lora_unet_mid_to_q.lora_{}.weight", "unet_mid_to_q"),
        ("mid.to_q.lora_{}.weight", "mid.to_q"),
        ("mid.to_q.lora.{}.weight", "mid.to_q"),
        ("mid.processor.to_q_lora.{}.weight", "mid.processor.to_q"),
    ],
)
@pytest.mark.parametrize("alpha", [None, 3.0])
def test_kohya_and_diffusers_name_their_factors_down_and_up(name, layer, alpha):
    tensors = adapter(names=(name.format("down"), name.format("up")))
    down, up = tensors.values()
    scale = 1.0
    if alpha is not None:
        prefix = "lora_" if name.startswith("lora_") else ""
        tensors[f"{prefix}{layer}.alpha"] = np.float64(alpha)
        scale = alpha / 2
    weights = open_weights(tensors)
    found = next(found for found in weights.layers if found.data.product() is not None)
    assert (found.name, found.left_out) == (layer, None)
    np.testing.assert_allclose(found.data[...], scale * up @ down, rtol=1e-14)
    assert all(other.role == "adapter" for other in weights.layers if other is not found)


@pytest.mark.spec("DER-7")
@pytest.mark.parametrize(
    ("config", "scale"),
    [
        ({"lora_alpha": 6}, 3),
        ({"lora_alpha": 6, "use_rslora": True}, 6 / math.sqrt(2)),
        ({"lora_alpha": 6, "alpha_pattern": {"m": 8}}, 4),
        ({"lora_alpha": 6, "alpha_pattern": {"block.m": 8, "m": 10}}, 4),
        ({"lora_alpha": 6, "alpha_pattern": {"m": 10, "block.m": 8}}, 5),
        ({"lora_alpha": 6, "alpha_pattern": {"^m": 8, "lock.m": 10}}, 3),
        ({"lora_alpha": 6, "alpha_pattern": {r"block\.m": 8}}, 4),
        ({"lora_alpha": 6, "alpha_pattern": {"block.*": 8}}, 4),
        ({"r": 16, "rank_pattern": {"m": 2}, "lora_alpha": 6}, 3),
    ],
)
def test_the_scale_is_that_of_the_configuration(tmp_path, config, scale):
    names = [f"{PREFIX}block.m.lora_{side}.weight" for side in "AB"]
    tensors = adapter(names=names)
    folder = saved(tmp_path / "a", tensors, **{"peft_type": "LORA", "r": 2, **config})
    (layer,) = products(open_weights(folder)).values()
    down, up = tensors.values()
    np.testing.assert_allclose(layer.data[...], scale * (up @ down), rtol=1e-14)


@pytest.mark.spec("DER-8")
@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("dora", "lora_magnitude_vector"),
        ("bias", "adapter_config.json sets bias = all"),
        ("conv", "it adapts a convolution"),
        ("lokr", "lokr_w1"),
        ("loha", "hada_w1_a"),
    ],
)
def test_what_is_not_read_is_refused_by_name(name, reason):
    report = analyze(FIXTURES / name, ALL)
    refused = [layer for layer in report.layers if layer.role == "adapter"]
    assert refused
    assert {layer.skip_code for layer in refused} == {"not-understood"}
    assert all(reason in layer.skipped for layer in refused)
    assert report.analyzed() == ()


@pytest.mark.spec("DER-8")
@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("use_dora", True),
        ("layer_replication", [[0, 2]]),
        ("init_lora_weights", "pissa_niter_4"),
        ("target_parameters", ["experts.gate_up_proj"]),
        ("trainable_token_indices", [1]),
        ("something_new", 1),
        ("alpha_pattern", {"(a+)+$": 2}),
        ("alpha_pattern", {"(a|a)(a|a)": 2}),
        ("alpha_pattern", {".*.*.*": 2}),
        ("alpha_pattern", {".*.+.+": 2}),
        ("peft_type", "IA3"),
    ],
)
def test_what_the_configuration_sets_beside_is_refused_by_name(tmp_path, key, value):
    folder = saved(tmp_path / "a", adapter(), **{"peft_type": "LORA", "r": 2, key: value})
    report = analyze(folder, ALL)
    assert {layer.skip_code for layer in report.layers} == {"not-understood"}
    shown = "IA3" if key == "peft_type" else key
    assert all(shown in layer.skipped for layer in report.layers)


@pytest.mark.spec("DER-8")
def test_the_largest_number_is_one():
    largest = sys.float_info.max
    assert lora_settings({"lora_alpha": largest}).alpha == largest


@pytest.mark.spec("DER-8")
def test_without_its_configuration_the_scale_of_an_adapter_is_not_known(tmp_path):
    alone = tmp_path / "adapter_model.safetensors"
    shutil.copy(FIXTURES / "plain" / "adapter_model.safetensors", alone)
    factors = [layer for layer in analyze(alone, ALL).layers if layer.role == "adapter"]
    assert {layer.skip_code for layer in factors} == {"not-understood"}
    assert "its scale is not known" in factors[0].skipped


@pytest.mark.spec("DER-8")
@pytest.mark.parametrize(
    ("tensors", "config", "reason"),
    [
        (adapter(rank=3), {}, "have rank 3, and adapter_config.json says 2"),
        ({"m.lora_A.weight": np.ones((2, 3))}, {}, "the other factor is not stored"),
        (
            {"m.lora_A.weight": np.ones((2, 3)), "m.lora_B.weight": np.ones((4, 3))},
            {},
            "cannot be multiplied",
        ),
        (adapter(), {"lora_alpha": "much"}, "alpha must be a number"),
        (adapter(), {"lora_alpha": float("inf")}, "alpha must be a number"),
        (adapter(), {"lora_alpha": 10**400}, "alpha must be a number"),
        (adapter(), {"alpha_pattern": {"m": 10**400}}, "alpha must be a number"),
        (adapter(), {"alpha_pattern": [1]}, "alpha_pattern must be an object"),
        (adapter(), {"r": 0}, "r must be whole numbers"),
    ],
)
def test_damaged_adapters_are_bad_data(tmp_path, tensors, config, reason):
    folder = saved(tmp_path / "a", tensors, **{"peft_type": "LORA", "r": 2, **config})
    report = analyze(folder, ALL)
    assert {layer.skip_code for layer in report.layers} == {"bad-data"}
    assert all(reason in layer.skipped for layer in report.layers)


@pytest.mark.spec("DER-9")
@given(
    rank=st.integers(1, 6),
    out=st.integers(1, 30),
    in_=st.integers(1, 30),
    seed=st.integers(0, 2**32 - 1),
    solver=st.sampled_from(["auto", "gram", "svd"]),
)
def test_eigenvalues_from_the_factors_are_those_of_the_product(rank, out, in_, seed, solver):
    rng = np.random.default_rng(seed)
    down, up = rng.standard_normal((rank, in_)), rng.standard_normal((out, rank))
    names = "m.lora_down.weight", "m.lora_up.weight"
    weights = open_weights(dict(zip(names, (down, up), strict=True)) | {"m.alpha": np.float64(5)})
    layer = next(layer for layer in weights.layers if layer.data.product() is not None)
    found = spectrum(weight_matrix(layer.data), solver=solver)
    dense = np.linalg.svd(5 / rank * up @ down, compute_uv=False)[::-1] ** 2 / max(out, in_)
    assert found.eigenvalues.size == min(out, in_)
    np.testing.assert_allclose(found.eigenvalues, dense, rtol=0, atol=1e-12 * dense[-1])
    assert found.num_zero >= min(out, in_) - rank


@pytest.mark.spec("DER-9")
def test_zeros_are_counted_by_rank_and_by_limits_of_size():
    names = "m.lora_down.weight", "m.lora_up.weight"
    tensors = adapter(rank=2, shape=(6, 5), names=names)
    (matrix,) = next(layer for layer in analyze(tensors, ALL).layers if layer.matrices).matrices
    assert (matrix.num_eigenvalues, matrix.num_zero, matrix.rank) == (5, 3, 2)
    assert analyze(tensors, ALL.override({"min_eigenvalues": "5"})).analyzed()
    assert not analyze(tensors, ALL.override({"min_eigenvalues": "6"})).analyzed()


@pytest.mark.spec("DER-9")
def test_the_fit_of_a_product_is_that_of_the_dense_matrix():
    names = "m.lora_down.weight", "m.lora_up.weight"
    tensors = adapter(rank=20, shape=(60, 50), names=names)
    (factored,) = next(x for x in analyze(tensors, ALL).layers if x.matrices).matrices
    dense = tensors[names[1]] @ tensors[names[0]]
    (expected,) = analyze({"m": dense}, ALL).layers[0].matrices
    for name in ("alpha", "lambda_max", "log10_frobenius_norm", "stable_rank"):
        assert getattr(factored, name) == pytest.approx(getattr(expected, name), rel=1e-9)


@pytest.mark.spec("DER-9")
def test_fused_projections_of_an_adapter_are_cut_from_its_factors():
    names = "x.gate_up_proj.lora_down.weight", "x.gate_up_proj.lora_up.weight"
    tensors = adapter(rank=2, shape=(8, 5), names=names)
    report = analyze(tensors, ALL.override({"fused": "split"}))
    found = [matrix.lambda_max for matrix in report.analyzed()[0].matrices]
    dense = tensors[names[1]] @ tensors[names[0]]
    expected = [np.linalg.norm(half, 2) ** 2 / 5 for half in (dense[:4], dense[4:])]
    np.testing.assert_allclose(found, expected, rtol=1e-12)


@pytest.mark.spec("DER-9", "SPC-8")
def test_a_product_costs_no_more_than_its_factors():
    names = "m.lora_down.weight", "m.lora_up.weight"
    weights = open_weights(adapter(rank=4, shape=(4096, 2048), names=names))
    layer = next(layer for layer in weights.layers if layer.data.product() is not None)
    sides = 4096 + 2048
    assert estimate_cost(weight_matrix(layer.data)) == Cost(2 * sides * 4**2, 8 * 2 * sides * 4)


@pytest.mark.spec("DER-9")
def test_a_factor_with_a_nan_is_bad_data():
    names = "m.lora_down.weight", "m.lora_up.weight"
    tensors = adapter(names=names)
    tensors[names[1]][3, 1] = np.nan
    layer = next(x for x in analyze(tensors, ALL).layers if x.skip_code == "bad-data")
    assert "entry [3, 0] is nan" in layer.skipped
