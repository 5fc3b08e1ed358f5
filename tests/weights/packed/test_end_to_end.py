"""Folders of packed layers, opened and analyzed as a user does it.

Which numbers the codes stand for is held against the libraries elsewhere; here it is whether they
arrive: in the right layer, the right way round, and nothing else with them.
"""

import json
from dataclasses import replace

import ml_dtypes
import numpy as np
import pytest
from packed_files import READ, REFUSED, Entry, in_model, packed_file, write_folder
from safetensors.numpy import save_file

from htsr_ref import analyze
from htsr_ref.weights import open_weights
from htsr_ref.weights.packed import packed_tensor

SCHEMES = {
    "auto-round": "int# (GPTQ)",
    "gptq": "int# (GPTQ)",
    "awq": "int4 (AWQ)",
    "bitnet": "ternary (BitNet)",
    "bnb-fp4": "FP4 (bitsandbytes)",
    "bnb-nf4": "NF4 (bitsandbytes)",
    "bnb-int8": "int8 (bitsandbytes)",
    "metal": "int4 (MLX)",
    "mlx-mxfp4": "mxfp4 (MLX)",
    "mlx-mxfp8": "mxfp8 (MLX)",
    "mlx-nvfp4": "nvfp4 (MLX)",
    "mlx": "int# (MLX)",
    "comfy_fp8": "float8 e4m3",
    "comfy_int8": "int8",
    "ct0": "int# (compressed-tensors)",
    "ct_fp8": "float8 e4m3",
    "ct_int8_channel_packed": "int8 (compressed-tensors)",
    "ct_int8": "int8",
    "ct_int": "int# (compressed-tensors)",
    "ct_mxfp4": "MXFP4",
    "ct_mxfp8": "float8 e4m3",
    "ct_nvfp4": "NVFP4",
    "fp4_in_int8_stack": "float4 e2m1",
    "fp4_in_int8": "MXFP4",
    "fp8": "float8 e4m3",
    "modelopt": "NVFP4",
    "mxfp4": "MXFP4",
}
"""How reports name the scheme, by the beginning of the fixture's name; # is any digit."""
FIELDS = ("num_eigenvalues", "num_zero", "lambda_max", "lambda_min", "rank", "alpha", "xmin")
FIELDS += ("tail_size", "ks_distance", "stable_rank", "entropy", "weighted_alpha")
PLAIN = "model.layers.1.mlp.down_proj.weight"
NUMBERS = np.random.default_rng(5).standard_normal((24, 16))
NAMES = {path.stem: path for path in READ}


def start_of(name):
    return max((start for start in SCHEMES if name.startswith(start)), key=len)


FIRST = {start_of(name): name for name in reversed(NAMES)}.values()
EVERY = pytest.mark.parametrize(
    "name",
    [name if name in FIRST else pytest.param(name, marks=pytest.mark.slow) for name in NAMES],
)
"""All files; the first of each scheme is fast."""


def module_of(packed):
    """Where such a layer is in a model."""
    is_stack = packed.truth.ndim == 3
    within = "experts" if is_stack and "weight" not in packed.entries else "up_proj"
    return f"model.layers.0.mlp.{within}"


def folder_of(tmp_path, packed, module=None, **others):
    """A model's folder with the packed layer and a plain one."""
    entries = in_model(packed, module or module_of(packed))
    plain = {PLAIN: Entry.of(NUMBERS)} | {key.replace("__", "."): e for key, e in others.items()}
    return write_folder(tmp_path, entries | plain, packed.settings)


def analyzed(report):
    return {layer.tensor: layer for layer in report.layers if layer.matrices}


def numbers_of(layer):
    return [[getattr(matrix, name) for name in FIELDS] for matrix in layer.matrices]


@pytest.mark.spec("PAK-1", "PAK-14")
@EVERY
def test_a_packed_layer_is_analyzed_as_the_matrix_that_it_stands_for(tmp_path, name):
    packed = packed_file(NAMES[name])
    folder = folder_of(tmp_path, packed)
    weights = open_weights(folder)
    layer, plain = (found for found in weights.layers if found.left_out is None)
    if plain.tensor != PLAIN:
        layer, plain = plain, layer

    label = SCHEMES[start_of(name)]
    pattern = [
        a if b == "#" and a.isdigit() else b for a, b in zip(layer.dtype, label, strict=True)
    ]
    assert layer.dtype == "".join(pattern)
    assert layer.role == "weight"
    assert layer.decided.startswith("inferred: ")
    assert layer.decided.endswith(f", {layer.dtype}")
    assert layer.axes[-2:] == ("out", "in")
    assert layer.shape == packed.truth.shape
    names = [module_of(packed)]
    if names[0].endswith("experts"):
        names = [f"{names[0]}.gate_up_proj", f"{names[0]}.down_proj"]
    assert layer.name in names
    # The libraries round to bfloat16 or float16 on their way, some of them more than once.
    matrix = layer.data[...]
    assert np.allclose(matrix, packed.truth, rtol=2**-7, atol=2**-7 * np.abs(packed.truth).max())

    others = [found for found in weights.layers if found.tensor not in (layer.tensor, PLAIN)]
    assert others
    assert all(found.left_out and not found.axes for found in others)
    assert {found.code for found in others} == {"left-out"}

    stored = {layer.tensor: matrix, PLAIN: NUMBERS}
    as_before = {layer.tensor: {"role": "weight", "axes": list(layer.axes)}}
    if layer.parts:
        as_before[layer.tensor]["parts"] = [
            {"name": part.name, "size": part.size} for part in layer.parts
        ]
    for solver, solver_of_float64 in (("auto", "gram"), ("gram", "gram"), ("svd", "svd")):
        report = analyze(weights, solver=solver)
        dense = analyze(stored, layers=as_before, solver=solver_of_float64)
        found, expected = analyzed(report), analyzed(dense)
        assert found.keys() == expected.keys() == {layer.tensor, PLAIN}
        for tensor, reported in found.items():
            ours, theirs = numbers_of(reported), numbers_of(expected[tensor])
            assert np.allclose(
                np.array(ours, float), np.array(theirs, float), rtol=1e-12, atol=0, equal_nan=True
            )
    report = analyze(folder / "model.safetensors")
    assert analyzed(report).keys() == {layer.tensor, PLAIN}


@pytest.mark.spec("PAK-13")
@EVERY
@pytest.mark.parametrize("chunk", [1, 333])
def test_a_part_is_that_part_of_the_whole(tmp_path, monkeypatch, name, chunk):
    weights = open_weights(folder_of(tmp_path, packed_file(NAMES[name])))
    data = next(layer for layer in weights.layers if layer.left_out is None).data
    if data.name == PLAIN:
        data = [layer for layer in weights.layers if layer.left_out is None][1].data
    whole = data[...]
    monkeypatch.setattr(packed_tensor, "_CHUNK", chunk)
    rng = np.random.default_rng(3)
    assert np.array_equal(data[...], whole)
    for _ in range(12):
        rows, columns = (np.sort(rng.integers(0, n + 1, 2)) for n in whole.shape[-2:])
        step, stride = rng.integers(1, 4, 2)
        index = (..., slice(*map(int, rows), int(step)), slice(*map(int, columns), int(stride)))
        assert np.array_equal(data[index], whole[index])
    assert np.array_equal(data[..., 3, ::-1], whole[..., 3, ::-1])
    assert data[(0,) * whole.ndim].shape == ()


@pytest.mark.spec("PAK-9")
@pytest.mark.parametrize("path", REFUSED, ids=lambda path: path.stem)
def test_a_scheme_that_is_not_read_is_not_understood(tmp_path, path):
    folder = folder_of(tmp_path, packed_file(path), "model.layers.0.mlp.up_proj")
    report = analyze(folder)
    assert analyzed(report).keys() == {PLAIN}
    skipped = [layer for layer in report.layers if layer.tensor != PLAIN]
    assert {layer.skip_code for layer in skipped} == {"not-understood"}
    assert all("model.layers.0.mlp.up_proj" in layer.skipped for layer in skipped)


def with_bytes(rest, byte, at=0):
    """Change one byte of a tensor."""

    def change(entries):
        content = bytearray(entries[rest].content)
        content[at] = byte
        return {rest: replace(entries[rest], content=bytes(content))}

    return change


def as_nan(rest):
    """Make the first number of a tensor NaN."""

    def change(entries):
        entry = entries[rest]
        kind = {"F32": np.float32, "F16": np.float16, "BF16": ml_dtypes.bfloat16}[entry.dtype]
        nan = np.array(np.nan, kind).tobytes()
        return {rest: replace(entry, content=nan + entry.content[len(nan) :])}

    return change


def reshaped(rest, *shape):
    """Give a tensor another shape, with as many bytes."""
    return lambda entries: {rest: replace(entries[rest], shape=shape)}


def without(rest):
    return lambda _: {rest: None}


DAMAGE = {
    "GPTQ: a scale that is NaN": ("gptq-4bit", as_nan("scales"), "scales"),
    "GPTQ: no zeros": ("gptq-4bit", without("qzeros"), "qzeros"),
    "GPTQ: a zero of all ones": ("gptq-4bit", with_bytes("qzeros", 0xFF), "qzeros"),
    "GPTQ: scales of another shape": ("gptq-4bit", reshaped("scales", 32, 3), "qweight"),
    "AWQ: no zeros": ("awq-gemm", without("qzeros"), "qzeros"),
    "AWQ: a scale that is NaN": ("awq-gemm", as_nan("scales"), "scales"),
    "MLX: scales of another shape": ("mlx-4bit", reshaped("scales", 8, 4), "scales"),
    "MLX: a bias that is NaN": ("mlx-4bit", as_nan("biases"), "biases"),
    "MLX: s = 255": ("mlx-mxfp4", with_bytes("scales", 255), "scales"),
    "BitNet: the code 3": ("bitnet-bitlinear", with_bytes("weight", 0xFF), "weight"),
    "BitNet: no scale": ("bitnet-bitlinear", without("weight_scale"), "weight_scale"),
    "bitsandbytes: a scale that is NaN": ("bnb-int8", as_nan("SCB"), "SCB"),
    "bitsandbytes: no table": (
        "bnb-nf4-float32",
        without("weight.quant_map"),
        "weight.quant_map",
    ),
    "bitsandbytes: codes of another shape": (
        "bnb-nf4-float32",
        reshaped("weight.quant_map", 4, 4),
        "weight.quant_map",
    ),
    "compressed-tensors: no zeros": ("ct_int4_zeros", without("weight_zero_point"), "zero_point"),
    "compressed-tensors: no shape": ("ct_int4_group", without("weight_shape"), "weight_shape"),
    "compressed-tensors: a scale that is NaN": (
        "ct_int4_group",
        as_nan("weight_scale"),
        "weight_scale",
    ),
    "NVFP4: a global scale that is NaN": (
        "ct_nvfp4",
        as_nan("weight_global_scale"),
        "weight_global_scale",
    ),
    "NVFP4: a scale that is NaN": (
        "modelopt_nvfp4",
        with_bytes("weight_scale", 127),
        "weight_scale",
    ),
    "MXFP4: s = 255": ("ct_mxfp4", with_bytes("weight_scale", 255), "weight_scale"),
    "MXFP4: no scales": ("mxfp4_stack", without("gate_up_proj_scales"), "gate_up_proj_scales"),
    "float8: s = 255": ("fp8_blocks_e8m0", with_bytes("weight_scale_inv", 255), "weight_scale_inv"),
    "float8: a scale that is NaN": ("fp8_blocks", as_nan("weight_scale_inv"), "weight_scale_inv"),
    "float8: scales of another shape": (
        "fp8_blocks",
        reshaped("weight_scale_inv", 1, 6),
        "weight_scale_inv",
    ),
    "float8: no scales": ("fp8_blocks", without("weight_scale_inv"), "weight"),
    "float8: a code that is NaN": ("fp8_blocks", with_bytes("weight", 127), "weight"),
    "int8: a scale that is NaN": ("ct_int8_group", as_nan("weight_scale"), "weight_scale"),
    "int8: no zeros": ("ct_int8_channel_zeros", without("weight_zero_point"), "weight_zero_point"),
}


def damaged(name, change):
    packed = packed_file(NAMES[name])
    entries = packed.entries | change(packed.entries)
    return replace(packed, entries={rest: entry for rest, entry in entries.items() if entry})


@pytest.mark.spec("PAK-14", "RPT-3")
@pytest.mark.parametrize(("name", "change", "at_fault"), DAMAGE.values(), ids=DAMAGE)
def test_a_damaged_layer_is_skipped_and_the_others_are_analyzed(tmp_path, name, change, at_fault):
    packed = damaged(name, change)
    report = analyze(folder_of(tmp_path, packed))
    assert analyzed(report).keys() == {PLAIN}
    bad = [layer for layer in report.layers if layer.skip_code == "bad-data"]
    assert bad
    assert all(at_fault in layer.skipped and module_of(packed) in layer.skipped for layer in bad)
    assert not {layer.skip_code for layer in report.layers} - {None, "bad-data", "left-out"}


@pytest.mark.spec("PAK-14", "RPT-3")
@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("fp8_blocks", as_nan("weight_scale_inv")),
        ("gptq-4bit", without("qzeros")),
        ("gptq-4bit", None),
    ],
)
def test_exit_codes(htsr, tmp_path, name, change):
    packed = damaged(name, change or (lambda _: {}))
    done = htsr("analyze", folder_of(tmp_path, packed), "--json")
    assert done.code == (1 if change else 0), done.err
    codes = {layer["skip_code"] for layer in json.loads(done.out)["layers"]}
    assert ("bad-data" in codes) == bool(change)


UNKNOWN = {
    "a scale of another name": ("fp8_blocks", {"weight_scale_inv": "weight_scale_zeta"}),
    "codes of no known name": ("ct_int4_group", {"weight_packed": "weight_woven"}),
    "a name of codes without the rest": ("awq-gemm", {"scales": "bias", "qzeros": "norm"}),
    "no settings of MLX": ("mlx-6bit", {}),
    "two scales": ("fp8_blocks", {"weight_scale_inv": "weight_scale_inv", "copy": "weight_scale"}),
}


@pytest.mark.spec("PAK-13", "RPT-3")
@pytest.mark.parametrize(("name", "names"), UNKNOWN.values(), ids=UNKNOWN)
def test_what_is_not_understood_is_skipped_and_the_others_are_analyzed(tmp_path, name, names):
    packed = packed_file(NAMES[name])
    entries = {names.get(rest, rest): entry for rest, entry in packed.entries.items()}
    if "copy" in names:
        entries[names["copy"]] = packed.entries["weight_scale_inv"]
    report = analyze(folder_of(tmp_path, replace(packed, entries=entries, settings={})))
    assert analyzed(report).keys() == {PLAIN}
    assert "not-understood" in {layer.skip_code for layer in report.layers}


def float8_entries(rng, module, rows, columns, block, dtype="F8_E4M3"):
    """A random float8 layer with scales of blocks; and what it stands for."""
    values = rng.standard_normal((rows, columns)).astype(ml_dtypes.float8_e4m3fn)
    height, width = block
    scales = rng.uniform(0.5, 2, (-(-rows // height), -(-columns // width))).astype(np.float32)
    spread = np.repeat(np.repeat(scales, height, 0), width, 1)[:rows, :columns]
    entries = {
        f"{module}.weight": Entry(dtype, values.shape, values.tobytes()),
        f"{module}.weight_scale_inv": Entry.of(scales),
    }
    return entries, values.astype(float) * spread


@pytest.mark.spec("PAK-3")
def test_another_layer_proves_the_blocks_of_one_that_is_cut(tmp_path):
    rng = np.random.default_rng(8)
    cut, truth = float8_entries(rng, "model.layers.0.mlp.up_proj", 72, 40, (32, 16))
    whole, _ = float8_entries(rng, "model.layers.1.mlp.up_proj", 64, 48, (32, 16))
    for entries, is_known in ((cut, False), (cut | whole, True), (whole | cut, True)):
        weights = open_weights(write_folder(tmp_path, entries, {}))
        layer = next(
            found for found in weights.layers if found.tensor in cut and "scale" not in found.tensor
        )
        assert (layer.left_out is None) == is_known
        assert layer.code == ("left-out" if is_known else "not-understood")
        if is_known:
            assert np.array_equal(layer.data[...], truth)


@pytest.mark.spec("PAK-3")
def test_layers_that_prove_different_blocks_prove_nothing(tmp_path):
    rng = np.random.default_rng(8)
    entries = {}
    for place, (rows, columns, block) in enumerate(
        [(72, 40, (32, 16)), (64, 48, (32, 16)), (64, 48, (16, 16))]
    ):
        entries |= float8_entries(rng, f"model.layers.{place}.fc", rows, columns, block)[0]
    codes = {
        layer.name: layer.code for layer in open_weights(write_folder(tmp_path, entries, {})).layers
    }
    assert codes["model.layers.0.fc"] == "not-understood"
    assert codes["model.layers.1.fc"] == codes["model.layers.2.fc"] == "left-out"


@pytest.mark.spec("PAK-3")
def test_blocks_that_do_not_fit_prove_nothing(tmp_path):
    rng = np.random.default_rng(8)
    entries = float8_entries(rng, "model.layers.0.fc", 72, 40, (20, 16))[0]
    entries |= float8_entries(rng, "model.layers.1.fc", 64, 48, (32, 16))[0]
    codes = {
        layer.name: layer.code for layer in open_weights(write_folder(tmp_path, entries, {})).layers
    }
    assert codes["model.layers.0.fc"] == "not-understood"


@pytest.mark.spec("PAK-14")
@pytest.mark.parametrize("name", ["mlx-4bit", "gptq-4bit", "fp8_blocks"])
def test_an_embedding_and_the_head_tied_to_it(tmp_path, name):
    packed = packed_file(NAMES[name])
    entries = in_model(packed, "model.embed_tokens")
    settings = packed.settings
    folder = write_folder(tmp_path, entries | {PLAIN: Entry.of(NUMBERS)}, settings)
    config = folder / "config.json"
    stated = json.loads(config.read_text()) | {
        "tie_word_embeddings": True,
        "architectures": ["LlamaForCausalLM"],
    }
    config.write_text(json.dumps(stated))
    layers = {layer.name: layer for layer in open_weights(folder).layers}
    embedding = layers["model.embed_tokens"]
    assert (embedding.role, embedding.left_out) == ("embedding", None)
    assert embedding.shape == packed.truth.shape
    if name != "gptq-4bit":  # whose embeddings have another name
        head = layers["lm_head"]
        assert (head.role, head.same_as) == ("weight", embedding.tensor)
        assert np.array_equal(head.data[...], embedding.data[...])


@pytest.mark.spec("PAK-10", "PAK-14")
def test_gate_and_up_that_alternate_are_left_whole(tmp_path):
    packed = packed_file(NAMES["mxfp4_stack"])
    bias = Entry.of(np.zeros((2, 24), np.float32))
    folder = folder_of(
        tmp_path, replace(packed, entries={**packed.entries, "gate_up_proj_bias": bias})
    )
    (layer,) = (
        found
        for found in open_weights(folder).layers
        if found.role == "weight" and found.tensor != PLAIN
    )
    assert layer.parts == ()
    assert layer.name == "model.layers.0.mlp.experts.gate_up_proj"


@pytest.mark.spec("PAK-14")
def test_an_int8_convolution_stays_one(tmp_path):
    codes = np.arange(-60, 60, dtype=np.int8).reshape(8, 5, 3)
    entries = {
        "model.conv1.weight": Entry.of(codes),
        "model.conv1.weight_scale": Entry.of(np.full((8, 1, 1), 0.5, np.float32)),
    }
    layers = {
        layer.tensor: layer for layer in open_weights(write_folder(tmp_path, entries, {})).layers
    }
    conv = layers["model.conv1.weight"]
    assert conv.axes == ("out", "in", "k1")
    assert np.array_equal(conv.data[...], codes * 0.5)


@pytest.mark.spec("PAK-14")
def test_a_correction_of_the_user_holds_for_the_weight_not_for_its_codes(tmp_path):
    folder = folder_of(tmp_path, packed_file(NAMES["gptq-4bit"]))
    parts = [{"name": "a", "size": 20}, {"name": "b", "size": 12}]
    weights = open_weights(folder, {"model.layers.0.mlp.up_proj": {"parts": parts}})
    (layer,) = (found for found in weights.layers if found.parts)
    assert layer.shape == (32, 96)


@pytest.mark.spec("PAK-3", "RPT-3")
@pytest.mark.parametrize("size", [[float("inf"), 16], [0, 16], "wide", [16], {"rows": 16}])
def test_a_size_of_blocks_that_is_none_is_damage_of_the_layer_not_of_the_file(tmp_path, size):
    packed = packed_file(NAMES["fp8_blocks"])
    stated = {"quantization_config": {"quant_method": "fp8", "weight_block_size": size}}
    report = analyze(folder_of(tmp_path, replace(packed, settings=stated)))
    assert analyzed(report).keys() == {PLAIN}
    assert {layer.skip_code for layer in report.layers} == {None, "bad-data"}


@pytest.mark.spec("PAK-9")
def test_a_codebook_in_a_module_of_its_own_is_no_matrix(tmp_path):
    """VPTQ's centroids are embeddings inside of the layer that it packs."""
    arrays = {"centroids.weight": NUMBERS.astype(np.float32)}
    for prefix in ("", "res_"):
        arrays[f"fc.{prefix}centroids.weight"] = NUMBERS.astype(np.float32)
        arrays[f"fc.{prefix}indices"] = np.ones((1, 24, 4), np.int32)
    save_file(arrays, tmp_path / "model.safetensors")
    layers = {layer.tensor: layer for layer in open_weights(tmp_path).layers}
    assert layers.pop("centroids.weight").left_out is None
    for layer in layers.values():
        assert layer.code == "not-understood"
        assert "VPTQ" in layer.left_out
