"""Hugging Face folders: exact weights, facts from config.json, and folders that lie."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import huggingface
import pytest
from conversions import FIXTURES, assert_is_expected, convert, converted, fixtures, refused

from htsr_ref import analyze
from htsr_ref.conventions import PAPER
from htsr_ref.weights import open_weights

FOLDER = FIXTURES / "huggingface"
INDEX = "model.safetensors.index.json"


@pytest.mark.parametrize("path", fixtures("huggingface"), ids=lambda path: path.name)
def test_every_number_is_what_pytorch_says(path, tmp_path):
    assert_is_expected(converted(huggingface, path, tmp_path), path)


def test_the_digest_is_that_of_htsr(tmp_path):
    for name in ("phi3-sharded", "gpt2"):
        weights = converted(huggingface, FOLDER / name, tmp_path)
        assert weights.manifest["source"]["sha256"] == open_weights(FOLDER / name).sha256()


def test_sizes_of_q_k_v_come_from_the_configuration(tmp_path):
    entry = converted(huggingface, FOLDER / "phi3-sharded", tmp_path).entries[
        "model.layers.0.self_attn.qkv_proj.weight"
    ]
    # Four heads of two for q, two for each of k and v.
    assert [(part["name"], part["size"]) for part in entry["parts"]] == [
        ("q", 8),
        ("k", 4),
        ("v", 4),
    ]
    assert "inferred" not in entry


def test_without_a_configuration_a_projection_is_left_whole(tmp_path):
    folder = copy(tmp_path)
    (folder / "config.json").unlink()
    entry = converted(huggingface, folder, tmp_path).entries[
        "model.layers.0.self_attn.qkv_proj.weight"
    ]
    assert "parts" not in entry
    assert entry["rule"] == "fused qkv of unknown sizes: left whole"


def test_experts(tmp_path):
    entries = converted(huggingface, FOLDER / "stacked-experts", tmp_path).entries
    entry = entries["model.layers.0.mlp.experts.gate_up_proj"]
    assert entry["axes"] == ["stack", "out", "in"]
    assert [part["size"] for part in entry["parts"]] == [4, 4]


@pytest.mark.parametrize("name", ["granite-moe", "granite-moe/model.safetensors"])
def test_experts_that_only_their_router_tells(name, tmp_path):
    entries = converted(huggingface, FOLDER / name, tmp_path).entries
    moe = "model.layers.0.block_sparse_moe"
    first, second = (entries[f"{moe}.{end}_linear.weight"] for end in ("input", "output"))
    assert first["kind"] == second["kind"] == "linear"
    assert first["axes"] == second["axes"] == ["stack", "out", "in"]
    assert [(part["name"], part["size"]) for part in first["parts"]] == [("gate", 4), ("up", 4)]
    assert "parts" not in second
    report = analyze(tmp_path / "converted.safetensors", replace(PAPER, min_dim=0))
    counts = {layer.name: len(layer.matrices) for layer in report.layers}
    # Three experts, of which each has gate and up.
    assert (counts[f"{moe}.input_linear"], counts[f"{moe}.output_linear"]) == (6, 3)


@pytest.mark.parametrize("name", ["codegen", "codegen/model.safetensors"])
def test_interleaved_heads_are_left_whole(name, tmp_path):
    source = FOLDER / name
    for path in (source, shutil.copy(FOLDER / "codegen" / "model.safetensors", tmp_path)):
        entry = converted(huggingface, Path(path), tmp_path).entries[
            "transformer.h.0.attn.qkv_proj.weight"
        ]
        assert "parts" not in entry
        assert "left whole" in entry["rule"]


@pytest.mark.parametrize("name", ["model.safetensors", "."])
def test_a_head_stored_twice_is_tied_only_if_it_is_equal(name, tmp_path):
    source = FOLDER / "stored-twice"
    entries = converted(huggingface, source / name, tmp_path).entries
    assert entries["lm_head.weight"]["same_as"] == "model.embed_tokens.weight"
    folder = tmp_path / "changed"
    shutil.copytree(source, folder)
    content = bytearray((folder / "model.safetensors").read_bytes())
    content[-1] ^= 1
    (folder / "model.safetensors").write_bytes(content)
    assert "same_as" not in converted(huggingface, folder, tmp_path).entries["lm_head.weight"]


def test_ties_in_the_metadata(tmp_path):
    header = {"__metadata__": {"head": "embed"}, "embed": entry([2, 3], 0, 24)}
    path = tmp_path / "model.safetensors"
    write(path, header, bytes(24))
    assert converted(huggingface, path, tmp_path).entries["head"]["same_as"] == "embed"


def copy(tmp_path):
    folder = tmp_path / "model"
    shutil.copytree(FOLDER / "phi3-sharded", folder)
    return folder


def reindexed(folder, change):
    index = json.loads((folder / INDEX).read_text())
    change(index["weight_map"])
    (folder / INDEX).write_text(json.dumps(index))


def entry(shape, begin, end, dtype="F32"):
    return {"dtype": dtype, "shape": shape, "data_offsets": [begin, end]}


def write(path, header, data):
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    path.write_bytes(len(text).to_bytes(8, "little") + text + data)


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("../phi3-sharded/model-00001-of-00002.safetensors", "is no file of its folder"),
        ("/etc/passwd", "is no file of its folder"),
        ("..", "is no file of its folder"),
        (["a list"], "no weight_map from tensors to files"),
        ("nothing.safetensors", "is missing"),
    ],
)
def test_an_index_stays_in_its_folder(name, problem, tmp_path):
    folder = copy(tmp_path)
    reindexed(folder, lambda weight_map: weight_map.update({"lm_head.weight": name}))
    assert problem in refused(huggingface, folder, tmp_path)


def test_a_link_out_of_the_folder(tmp_path):
    folder = copy(tmp_path)
    shard = folder / "model-00002-of-00002.safetensors"
    shard.rename(tmp_path / "elsewhere.safetensors")
    shard.symlink_to(tmp_path / "elsewhere.safetensors")
    assert "is a link out of its folder" in refused(huggingface, folder, tmp_path)


def test_links_of_a_cache(tmp_path):
    folder = tmp_path / "snapshots" / "revision"
    folder.parent.mkdir()
    shutil.copytree(FOLDER / "phi3-sharded", folder)
    (tmp_path / "blobs").mkdir()
    for number, file in enumerate(sorted(folder.iterdir())):
        file.rename(tmp_path / "blobs" / str(number))
        file.symlink_to(f"../../blobs/{number}")
    assert_is_expected(converted(huggingface, folder, tmp_path), FOLDER / "phi3-sharded")


def test_a_missing_tensor_or_shard(tmp_path):
    folder = copy(tmp_path)
    reindexed(folder, lambda weight_map: weight_map.update(more=weight_map["lm_head.weight"]))
    assert "tensor 'more'" in refused(huggingface, folder, tmp_path)
    (folder / "model-00002-of-00002.safetensors").unlink()
    assert "is missing" in refused(huggingface, folder, tmp_path)


def test_a_tensor_that_the_index_leaves_out(tmp_path):
    folder = copy(tmp_path)
    reindexed(folder, lambda weight_map: weight_map.pop("lm_head.weight"))
    weights = converted(huggingface, folder, tmp_path)
    assert "lm_head.weight" not in weights.entries
    assert "which is not in the index" in weights.manifest["extra"]["notes"][0]


def test_a_labeled_file_is_given_to_htsr(tmp_path):
    converted(huggingface, FOLDER / "gpt2", tmp_path)
    assert "has a manifest already" in refused(
        huggingface, tmp_path / "converted.safetensors", tmp_path
    )


BAD = {
    "hole": ({"w": entry([2], 0, 8), "v": entry([1], 12, 16)}, 16, "leave a hole"),
    "overlap": ({"w": entry([2], 0, 8), "v": entry([2], 4, 12)}, 12, "overlap"),
    "rest": ({"w": entry([2], 0, 8)}, 12, "12 bytes of data"),
    "cut off": ({"w": entry([2], 0, 8)}, 4, "4 bytes of data"),
    "size": ({"w": entry([3], 0, 8)}, 8, "8 bytes for the shape [3]"),
    "negative": ({"w": entry([-2, -1], 0, 8)}, 8, "is no count"),
    "fraction": ({"w": entry([2.0], 0, 8)}, 8, "is no count"),
    "type": ({"w": entry([2], 0, 8, "F33")}, 8, "'F33'"),
    "shape": ({"w": entry("2", 0, 8)}, 8, "a shape is no list"),
    "entry": ({"w": 3}, 8, "damaged"),
    "metadata": ({"__metadata__": {"a": 1}}, 0, "are no strings"),
    "list": (b"{]" + b" " * 8, 0, "no valid JSON"),
    "twice": (b'{"w": 1, "w": 2}', 0, "a key appears twice"),
    "deep": (b'{"w":' + b"[" * 100_000 + b"]" * 100_000 + b"}", 0, "no valid JSON"),
}


@pytest.mark.parametrize("name", BAD)
def test_headers(name, tmp_path):
    header, size, problem = BAD[name]
    path = tmp_path / "model.safetensors"
    write(path, header, bytes(size))
    assert problem in refused(huggingface, path, tmp_path)


def test_a_header_beyond_the_file(tmp_path):
    path = tmp_path / "model.safetensors"
    path.write_bytes((2**24).to_bytes(8, "little") + b"{")
    assert "its header claims 16777216 bytes" in refused(huggingface, path, tmp_path)


def test_types_that_cannot_be_written(tmp_path):
    path = tmp_path / "model.safetensors"
    write(path, {"w": entry([4, 4], 0, 8, "F4"), "v": entry([1], 8, 12)}, bytes(12))
    assert "numbers of type F4 cannot be written" in refused(huggingface, path, tmp_path)
    assert converted(huggingface, path, tmp_path, "--exclude", "w").entries.keys() == {"v"}


def test_what_a_folder_must_hold(tmp_path):
    folder = tmp_path / "empty"
    folder.mkdir()
    assert "no safetensors file" in refused(huggingface, folder, tmp_path)
    (folder / "pytorch_model.bin").write_bytes(b"x")
    assert "pytorch.py" in refused(huggingface, folder, tmp_path)
    for name in ("a.safetensors", "b.safetensors"):
        shutil.copy(FOLDER / "gpt2" / "model.safetensors", folder / name)
    assert "several models" in refused(huggingface, folder, tmp_path)
    assert convert(huggingface, folder / "a.safetensors", "--dry-run").code == 0
