"""FMT-9: folders with one or several safetensors files."""

import hashlib
import json

import numpy as np
import pytest

from htsr_ref.errors import WeightFileError
from htsr_ref.weights import TensorSpec, open_weights, write_weights

A = np.arange(6, dtype=np.float32).reshape(2, 3)
B = np.arange(8, dtype=np.float64).reshape(4, 2)


@pytest.fixture
def model(tmp_path):
    """Folder with two shards; `b` comes first in the index."""
    folder = tmp_path / "model"
    folder.mkdir()
    write_weights(folder / "model-00001-of-00002.safetensors", {"a.weight": A})
    write_weights(folder / "model-00002-of-00002.safetensors", {"b.weight": B})
    write_index(
        folder,
        {
            "b.weight": "model-00002-of-00002.safetensors",
            "a.weight": "model-00001-of-00002.safetensors",
        },
    )
    return folder


def write_index(folder, weight_map, **more):
    value = {"metadata": {"total_size": 88}, "weight_map": weight_map, **more}
    text = value if isinstance(weight_map, bytes) else json.dumps(value).encode()
    (folder / "model.safetensors.index.json").write_bytes(
        weight_map if isinstance(weight_map, bytes) else text
    )


def refusal(folder):
    with pytest.raises(WeightFileError) as caught:
        open_weights(folder)
    assert "\n" not in str(caught.value)
    return caught.value


@pytest.mark.spec("FMT-9", "FMT-14")
def test_shards_in_the_order_of_the_index(model):
    weights = open_weights(model)
    assert weights.format == "safetensors-sharded"
    assert weights.name == "model"
    assert weights.warnings == ()
    assert [path.name for path in weights.files] == [
        "model-00001-of-00002.safetensors",
        "model-00002-of-00002.safetensors",
        "model.safetensors.index.json",
    ]
    assert [layer.name for layer in weights.layers] == ["b", "a"]
    np.testing.assert_array_equal(weights.layers[0].data[...], B)
    np.testing.assert_array_equal(weights.layers[1].data[...], A)


@pytest.mark.spec("FMT-9")
def test_the_index_itself_may_be_named(model):
    weights = open_weights(model / "model.safetensors.index.json")
    assert [layer.name for layer in weights.layers] == ["b", "a"]


@pytest.mark.spec("FMT-18")
def test_digest_of_several_files(model):
    weights = open_weights(model)
    joined = "".join(hashlib.sha256(path.read_bytes()).hexdigest() for path in weights.files)
    assert weights.sha256() == hashlib.sha256(joined.encode()).hexdigest()


@pytest.mark.spec("FMT-9")
def test_a_folder_with_one_file(tmp_path):
    write_weights(tmp_path / "x.safetensors", {"a.weight": A})
    (tmp_path / "config.json").write_text("{}")
    weights = open_weights(tmp_path)
    assert weights.format == "safetensors"
    assert weights.name == tmp_path.name


@pytest.mark.spec("FMT-9")
def test_a_folder_without_or_with_several_files(tmp_path):
    assert "no safetensors file" in refusal(tmp_path).problem
    for name in ("x", "y"):
        write_weights(tmp_path / f"{name}.safetensors", {"a.weight": A})
    assert "several models (x.safetensors, y.safetensors" in refusal(tmp_path).problem


@pytest.mark.spec("FMT-9")
def test_parts_without_the_others_and_without_an_index(tmp_path):
    for part in (1, 3):
        write_weights(tmp_path / f"m-0000{part}-of-00003.safetensors", {f"{part}.weight": A})
    problem = refusal(tmp_path).problem
    assert problem == "it has parts of a model of 3 parts, but not m-00002-of-00003.safetensors"


@pytest.mark.spec("FMT-9")
@pytest.mark.parametrize("width", [1, 4, 5])
def test_parts_are_counted_in_any_number_of_digits(tmp_path, width):
    for part in (1, 2):
        name = f"m-{part:0{width}}-of-{2:0{width}}.safetensors"
        write_weights(tmp_path / name, {f"{part}.weight": A})
    assert [layer.tensor for layer in open_weights(tmp_path).layers] == ["1.weight", "2.weight"]


@pytest.mark.spec("FMT-9")
def test_several_indices_are_named(tmp_path):
    for name in ("a", "b"):
        (tmp_path / f"{name}.safetensors.index.json").write_text("{}")
    error = refusal(tmp_path)
    assert "(a.safetensors.index.json, b.safetensors.index.json)" in error.problem
    assert error.cure == "Name one of these indices"


@pytest.mark.spec("FMT-9")
def test_all_parts_and_another_file(tmp_path):
    for name in ("all", "m-00001-of-00002", "m-00002-of-00002"):
        write_weights(tmp_path / f"{name}.safetensors", {f"{name}.weight": A})
    error = refusal(tmp_path)
    assert "several models" in error.problem
    assert "all.safetensors" in error.problem
    assert "move them away" in str(error)


@pytest.mark.spec("FMT-9")
def test_missing_shard(model):
    (model / "model-00002-of-00002.safetensors").unlink()
    assert "model-00002-of-00002.safetensors that the index names is missing" in str(refusal(model))


@pytest.mark.spec("FMT-9")
@pytest.mark.parametrize(
    "name",
    [
        "../outside.safetensors",
        "/etc/passwd",
        "sub/x.safetensors",
        "sub\\x.safetensors",
        "..",
        ".",
        "",
        "x\0.safetensors",
    ],
)
def test_paths_are_refused(model, name):
    write_weights(model.parent / "outside.safetensors", {"a.weight": A})
    write_index(model, {"a.weight": name})
    assert "not a file in its folder" in refusal(model).problem


@pytest.mark.spec("FMT-9")
def test_a_link_out_of_the_folder_is_refused(model):
    outside = model.parent / "outside.safetensors"
    write_weights(outside, {"a.weight": A})
    (model / "link.safetensors").symlink_to(outside)
    write_index(model, {"a.weight": "link.safetensors"})
    assert "a link out of its folder" in refusal(model).problem


@pytest.mark.spec("FMT-9")
def test_a_link_within_the_folder_is_followed(model):
    (model / "link.safetensors").symlink_to("model-00001-of-00002.safetensors")
    write_index(model, {"a.weight": "link.safetensors"})
    np.testing.assert_array_equal(open_weights(model).layers[0].data[...], A)


@pytest.mark.spec("FMT-9")
def test_links_of_a_hugging_face_cache(tmp_path):
    blobs, snapshot = tmp_path / "blobs", tmp_path / "snapshots" / "abc"
    blobs.mkdir()
    snapshot.mkdir(parents=True)
    write_weights(blobs / "1234", {"a.weight": A})
    (snapshot / "x.safetensors").symlink_to("../../blobs/1234")
    write_index(snapshot, {"a.weight": "x.safetensors"})
    np.testing.assert_array_equal(open_weights(snapshot).layers[0].data[...], A)


@pytest.mark.spec("FMT-9", "FMT-17")
def test_a_shard_that_is_a_folder(model):
    (model / "folder").mkdir()
    write_index(model, {"a.weight": "folder"})
    assert "not a regular file" in refusal(model).problem


@pytest.mark.spec("FMT-9")
def test_a_tensor_that_its_shard_does_not_hold(model):
    write_index(model, {"c.weight": "model-00001-of-00002.safetensors"})
    error = refusal(model)
    assert error.tensor == "c.weight"
    assert "does not hold it" in error.problem


@pytest.mark.spec("FMT-9")
def test_a_tensor_that_is_not_in_the_index(model):
    write_index(model, {"a.weight": "model-00001-of-00002.safetensors"})
    assert open_weights(model).warnings == ()
    write_weights(model / "model-00001-of-00002.safetensors", {"a.weight": A, "c.weight": B})
    weights = open_weights(model)
    assert [layer.name for layer in weights.layers] == ["a"]
    assert "'c.weight' is not in the index" in weights.warnings[0]


@pytest.mark.spec("FMT-9")
@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"[]",
        b'{"weight_map": []}',
        b'{"weight_map": {}}',
        b'{"weight_map": {"a": 1}}',
        b'{"weight_map": {"a": "x", "a": "y"}}',
        b"[" * 100_000,
    ],
)
def test_bad_index(model, content):
    write_index(model, content)
    assert "the index" in refusal(model).problem


@pytest.mark.spec("FMT-9")
def test_an_index_has_at_most_100_million_bytes(model):
    with (model / "model.safetensors.index.json").open("r+b") as file:
        file.truncate(100_000_001)
    assert "at most 100000000 bytes" in refusal(model).problem


def labeled(folder, second_source=None):
    linear = TensorSpec("weight", ("out", "in"))
    write_weights(
        folder / "model-00001-of-00002.safetensors",
        {"a.weight": A},
        {"a.weight": linear},
        {"framework": "x"},
    )
    write_weights(
        folder / "model-00002-of-00002.safetensors",
        {"b.weight": B},
        {"b.weight": linear},
        {"framework": second_source or "x"},
    )


@pytest.mark.spec("FMT-9")
def test_manifests_of_shards_are_joined(model):
    labeled(model)
    weights = open_weights(model)
    assert {layer.decided for layer in weights.layers} == {"stated"}
    assert weights.source["framework"] == "x"


@pytest.mark.spec("FMT-9")
def test_manifests_of_shards_must_agree(model):
    labeled(model, second_source="y")
    assert "different sources" in refusal(model).problem
    write_weights(model / "model-00002-of-00002.safetensors", {"b.weight": B})
    assert "has no manifest" in refusal(model).problem
