"""The corpus of architectures agrees with itself, and with names that are known to be published."""

import json
from collections import Counter
from math import prod
from pathlib import Path

import pytest

FILES = sorted((Path(__file__).parent / "corpus").glob("*.json"))
ROLES = {
    "weight",
    "bias",
    "norm",
    "embedding",
    "recurrent",
    "scale",
    "zero point",
    "codebook",
    "packed",
    "mask",
    "position",
    "buffer",
    "adapter",
    "optimizer",
    "unknown",
}
MATRICES = {"weight", "recurrent"}
DTYPES = {"F32", "I64", "BOOL"}
KERNEL = ("k1", "k2", "k3")

# Of model.safetensors or its index on the Hugging Face Hub, one that tells this architecture.
PUBLISHED = {
    "albert": "albert.encoder.albert_layer_groups.0.albert_layers.0.ffn.weight",
    "bert": "bert.encoder.layer.0.attention.self.query.weight",
    "bloom": "transformer.h.0.self_attention.query_key_value.weight",
    "dbrx": "transformer.blocks.0.ffn.experts.mlp.w1",
    "deepseek-v3": "model.layers.1.mlp.experts.0.gate_proj.weight",
    "falcon-gqa": "transformer.h.0.self_attention.query_key_value.weight",
    "gpt-neox": "embed_out.weight",
    "gpt-oss": "model.layers.0.mlp.experts.gate_up_proj",
    "gpt2-body": "h.0.attn.c_attn.weight",
    "granite-moe": "model.layers.0.block_sparse_moe.input_linear.weight",
    "llama": "model.layers.0.self_attn.q_proj.weight",
    "llava": "language_model.model.layers.0.self_attn.q_proj.weight",
    "mamba": "backbone.layers.0.mixer.in_proj.weight",
    "mixtral": "model.layers.0.block_sparse_moe.experts.0.w1.weight",
    "olmoe": "model.layers.0.mlp.experts.0.gate_proj.weight",
    "qwen2-moe": "model.layers.0.mlp.experts.0.gate_proj.weight",
    "qwen2-vl": "visual.blocks.0.attn.qkv.weight",
    "transformers4-qwen3-vl-moe": "model.language_model.layers.0.mlp.experts.gate_up_proj",
    "t5": "encoder.block.0.layer.0.SelfAttention.relative_attention_bias.weight",
    "vit": "vit.encoder.layer.0.attention.attention.query.weight",
    "whisper": "model.encoder.conv1.weight",
    "timm-resnet50": "layer1.0.downsample.0.weight",
    "timm-vit_small_patch16_224": "blocks.0.attn.qkv.weight",
}

# The axes that the architectures' own code gives to matrices that names alone do not tell.
AXES = {
    ("gpt2-body", "h.0.attn.c_attn.weight"): ["in", "out"],
    ("gpt-bigcode", "transformer.h.0.attn.c_attn.weight"): ["out", "in"],
    ("gpt-oss", "model.layers.0.mlp.experts.down_proj"): ["stack", "in", "out"],
    ("granite-moe", "model.layers.0.block_sparse_moe.output_linear.weight"): ["stack", "out", "in"],
    ("qwen3-vl-moe", "model.language_model.layers.0.mlp.experts.down_proj"): ["stack", "out", "in"],
    ("transformers4-qwen3-vl-moe", "model.language_model.layers.0.mlp.experts.down_proj"): [
        "stack",
        "in",
        "out",
    ],
    ("mixtral", "model.layers.0.block_sparse_moe.experts.0.w2.weight"): ["out", "in"],
    ("xlnet", "transformer.layer.0.rel_attn.q"): ["in", "out", "out"],
    ("xlnet", "transformer.layer.0.rel_attn.o"): ["out", "in", "in"],
}


def read(file):
    return json.loads(file.read_text(encoding="utf-8"))


@pytest.fixture(params=FILES, ids=lambda file: file.stem)
def architecture(request):
    return read(request.param)


def matrices(architecture):
    return {name: said for name, said in architecture["tensors"].items() if "axes" in said}


def size_of(said, axis):
    return prod(
        size for size, name in zip(said["shape"], said["axes"], strict=True) if name == axis
    )


def test_many_architectures():
    assert len(FILES) >= 100
    assert len({read(file)["class"] for file in FILES}) >= 90
    assert sum(file.stat().st_size for file in FILES) <= 2_000_000


def test_an_architecture_says_what_wrote_it(architecture):
    library = architecture["source"].split()[0]
    assert library in {"transformers", "timm"}
    if library == "transformers":
        assert architecture["config"]["architectures"] == [architecture["class"]]
        assert architecture["metadata"] == {"format": "pt"}
    else:
        assert "architecture" in architecture["config"]


def test_names_are_in_order_and_unlike_those_left_out(architecture):
    names = list(architecture["tensors"])
    assert names == sorted(names)
    assert not set(names) & set(architecture["not_saved"])


def test_roles_are_known(architecture):
    for name, said in architecture["tensors"].items():
        assert said["roles"], name
        assert set(said["roles"]) <= ROLES, name
        assert len(set(said["roles"])) == len(said["roles"]), name
        assert said["dtype"] in DTYPES, name


def test_matrices_have_axes_and_nothing_else_has(architecture):
    for name, said in architecture["tensors"].items():
        assert ("axes" in said) == (said["roles"][0] in MATRICES), name
        assert ("groups" in said) == ("axes" in said), name
        if "parts" in said or "experts_along_axis_0" in said:
            assert "axes" in said, name


def test_axes_fit_shapes(architecture):
    for name, said in matrices(architecture).items():
        counts = Counter(said["axes"])
        kernel = tuple(axis for axis in said["axes"] if axis in KERNEL)
        assert len(said["axes"]) == len(said["shape"]), name
        assert kernel == KERNEL[: len(kernel)], name
        assert counts["out"] >= 1, name
        assert counts["in"] >= 1, name
        assert set(counts) <= {"stack", "out", "in", *KERNEL}, name
        assert said["dtype"] == "F32", name


def test_groups_divide_the_axis_that_is_not_divided_already(architecture):
    for name, said in matrices(architecture).items():
        whole = "in" if said["axes"].index("in") < said["axes"].index("out") else "out"
        assert said["groups"] >= 1, name
        assert size_of(said, whole) % said["groups"] == 0, name
        assert said["groups"] == 1 or "k1" in said["axes"], name


def test_parts_make_up_the_out_axis(architecture):
    for name, said in matrices(architecture).items():
        if "parts" not in said:
            assert "interleaved" not in said, name
            continue
        assert len(said["parts"]) >= 2, name
        assert all(size > 0 for _, size in said["parts"]), name
        assert sum(size for _, size in said["parts"]) == size_of(said, "out"), name


def test_experts_along_an_axis_divide_it(architecture):
    for name, said in matrices(architecture).items():
        assert said["shape"][0] % said.get("experts_along_axis_0", 1) == 0, name


@pytest.mark.parametrize(("stem", "name"), PUBLISHED.items())
def test_names_are_those_of_published_files(stem, name):
    file = Path(__file__).parent / "corpus" / f"{stem}.json"
    assert name in read(file)["tensors"]


@pytest.mark.parametrize(("stem", "name"), AXES)
def test_axes_are_those_of_the_code(stem, name):
    file = Path(__file__).parent / "corpus" / f"{stem}.json"
    assert read(file)["tensors"][name]["axes"] == AXES[stem, name]
