"""Hugging Face folders that transformers wrote: exact weights, facts of config.json, ties."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from conversions import FIXTURES, assert_holds, by_tensor, expected, fixtures, parts

from htsr_ref import analyze
from htsr_ref.conventions import SDM2020_TEXT
from htsr_ref.errors import WeightFileError
from htsr_ref.weights import TensorSpec, open_weights
from htsr_ref.weights.assemble import assemble
from htsr_ref.weights.manifest import Manifest
from htsr_ref.weights.opening import memory_container

FOLDER = FIXTURES / "huggingface"
INDEX = "model.safetensors.index.json"
QKV = "model.layers.0.self_attn.qkv_proj.weight"


@pytest.mark.parametrize("path", fixtures("huggingface"), ids=lambda path: path.name)
def test_every_number_is_what_pytorch_says(path):
    # A head that is tied and not stored is listed, too.
    wanted = expected(path)
    listed = by_tensor(path).values()
    unstored = [layer for layer in listed if layer.tensor not in wanted]
    assert {layer.tensor for layer in unstored} <= {"lm_head.weight"}
    assert all(layer.same_as is not None for layer in unstored)
    assert_holds([layer for layer in listed if layer.tensor in wanted], wanted)


@pytest.mark.spec("FMT-20")
def test_sizes_of_q_k_v_come_from_the_configuration():
    layer = by_tensor(FOLDER / "phi3-sharded")[QKV]
    # Four heads of two for q, two for each of k and v.
    assert parts(layer) == {"q": 8, "k": 4, "v": 4}
    assert layer.decided.endswith("sizes by the configuration")


def test_without_a_configuration_a_projection_is_left_whole(folder):
    (folder / "config.json").unlink()
    layer = by_tensor(folder)[QKV]
    assert not layer.parts
    assert layer.decided == "inferred: fused qkv of unknown sizes: left whole"


@pytest.mark.spec("FMT-20")
def test_a_configuration_of_another_model_is_refused(folder):
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | {"hidden_size": 7}))
    with pytest.raises(WeightFileError, match=r"hidden_size is 7, and no tensor has that width"):
        open_weights(folder)


def test_experts():
    layer = by_tensor(FOLDER / "stacked-experts")["model.layers.0.mlp.experts.gate_up_proj"]
    assert layer.axes == ("stack", "out", "in")
    assert parts(layer) == {"gate": 4, "up": 4}


@pytest.mark.parametrize("name", ["granite-moe", "granite-moe/model.safetensors"])
def test_experts_that_only_their_router_tells(name):
    layers = by_tensor(FOLDER / name)
    moe = "model.layers.0.block_sparse_moe"
    first, second = (layers[f"{moe}.{end}_linear.weight"] for end in ("input", "output"))
    assert first.role == second.role == "weight"
    assert first.axes == second.axes == ("stack", "out", "in")
    assert parts(first) == {"gate": 4, "up": 4}
    assert not second.parts
    for fused, matrices in (("split", (6, 3)), ("whole", (3, 3))):
        convention = SDM2020_TEXT.override({"fused": fused, "experts": "split", "min_dim": 0})
        report = analyze(FOLDER / name, convention)
        counts = {layer.name: len(layer.matrices) for layer in report.layers}
        # Three experts, of which each has gate and up.
        assert (counts[f"{moe}.input_linear"], counts[f"{moe}.output_linear"]) == matrices


@pytest.mark.parametrize("with_config", [True, False])
def test_interleaved_heads_are_left_whole(with_config, tmp_path):
    path = FOLDER / "codegen"
    if not with_config:
        path = Path(shutil.copy(path / "model.safetensors", tmp_path))
    layer = by_tensor(path)["transformer.h.0.attn.qkv_proj.weight"]
    assert not layer.parts
    assert "left whole" in layer.decided


@pytest.mark.spec("FMT-6")
@pytest.mark.parametrize("name", ["model.safetensors", "."])
def test_a_head_stored_twice_is_tied_only_if_it_is_equal_and_the_configuration_says_so(
    name, tmp_path
):
    folder = shutil.copytree(FOLDER / "stored-twice", tmp_path / "model")
    assert by_tensor(folder / name)["lm_head.weight"].same_as == "model.embed_tokens.weight"
    file, config = folder / "model.safetensors", folder / "config.json"
    content = bytearray(file.read_bytes())
    content[-1] ^= 1
    file.write_bytes(content)
    assert by_tensor(folder / name)["lm_head.weight"].same_as is None
    content[-1] ^= 1
    file.write_bytes(content)
    stated = json.loads(config.read_text())
    config.write_text(json.dumps(stated | {"tie_word_embeddings": False}))
    assert by_tensor(folder / name)["lm_head.weight"].same_as is None


@pytest.mark.spec("FMT-6", "FMT-20")
def test_a_configuration_beside_facts_of_another_format_ties_the_same_heads():
    # As of a PyTorch file beside config.json: its facts are known, the configuration is not.
    tied = {"config": {"tie_word_embeddings": True}}
    table = np.arange(12.0).reshape(4, 3)
    plain = memory_container({"lm_head.weight": table, "model.embed_tokens.weight": table.copy()})
    facts = Manifest(
        {tensor.name: TensorSpec() for tensor in plain.tensors}, {"framework": "pytorch"}
    )
    for container in (plain, replace(plain, manifest=facts)):
        weights = assemble(replace(container, settings=tied), None, name="model", file="model")
        kept = {layer.tensor: layer.same_as for layer in weights.layers}
        assert kept["lm_head.weight"] == "model.embed_tokens.weight"


@pytest.fixture
def folder(tmp_path):
    return shutil.copytree(FOLDER / "phi3-sharded", tmp_path / "model")


def reindexed(folder, change):
    index = json.loads((folder / INDEX).read_text())
    change(index["weight_map"])
    (folder / INDEX).write_text(json.dumps(index))


@pytest.mark.spec("FMT-9")
@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("../phi3-sharded/model-00001-of-00002.safetensors", "not a file in its folder"),
        ("/etc/passwd", "not a file in its folder"),
        ("..", "not a file in its folder"),
        (["a list"], "no weight_map from tensor names to file names"),
        ("nothing.safetensors", "is missing"),
    ],
)
def test_an_index_stays_in_its_folder(name, problem, folder):
    reindexed(folder, lambda weight_map: weight_map.update({"lm_head.weight": name}))
    with pytest.raises(WeightFileError, match=problem):
        open_weights(folder)


@pytest.mark.spec("FMT-9")
@pytest.mark.parametrize("name", ["model-00002-of-00002.safetensors", "config.json"])
def test_a_link_out_of_the_folder(name, folder, tmp_path):
    (folder / name).rename(tmp_path / "elsewhere")
    (folder / name).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(WeightFileError, match=r"link out of"):
        open_weights(folder)


@pytest.mark.spec("FMT-9")
def test_links_of_a_cache(tmp_path):
    folder = tmp_path / "snapshots" / "revision"
    folder.parent.mkdir()
    shutil.copytree(FOLDER / "phi3-sharded", folder)
    (tmp_path / "blobs").mkdir()
    for number, file in enumerate(sorted(folder.iterdir())):
        file.rename(tmp_path / "blobs" / str(number))
        file.symlink_to(f"../../blobs/{number}")
    layers = by_tensor(folder)
    assert_holds(layers.values(), expected(FOLDER / "phi3-sharded"))
    assert parts(layers[QKV]) == {"q": 8, "k": 4, "v": 4}


@pytest.mark.spec("FMT-9")
def test_a_missing_tensor_or_shard(folder):
    reindexed(folder, lambda weight_map: weight_map.update(more=weight_map["lm_head.weight"]))
    with pytest.raises(WeightFileError, match="'more'"):
        open_weights(folder)
    (folder / "model-00002-of-00002.safetensors").unlink()
    with pytest.raises(WeightFileError, match="is missing"):
        open_weights(folder)


@pytest.mark.spec("FMT-9")
def test_a_tensor_that_the_index_leaves_out(folder):
    reindexed(folder, lambda weight_map: weight_map.pop("lm_head.weight"))
    weights = open_weights(folder)
    assert "lm_head.weight" not in {layer.tensor for layer in weights.layers}
    assert "is not in the index" in weights.warnings[0]


@pytest.mark.spec("FMT-9")
def test_what_a_folder_must_hold(tmp_path):
    folder = tmp_path / "empty"
    folder.mkdir()
    (folder / "pytorch_model.bin").write_bytes(b"x")
    with pytest.raises(WeightFileError, match=r"no safetensors file\. Convert the model"):
        open_weights(folder)
    for name in ("a.safetensors", "b.safetensors"):
        shutil.copy(FOLDER / "gpt2" / "model.safetensors", folder / name)
    with pytest.raises(WeightFileError, match="several models"):
        open_weights(folder)
    assert open_weights(folder / "a.safetensors").layers
