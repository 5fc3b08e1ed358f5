"""TensorFlow's checkpoints without TensorFlow: exact weights, and axes by Keras's names."""

import shutil

import pytest
import tensorflow_files
from conversions import (
    FIXTURES,
    assert_is_expected,
    converted,
    fixtures,
    parts,
    refused,
)

FOLDER = FIXTURES / "tensorflow"


@pytest.mark.parametrize("path", fixtures("tensorflow"), ids=lambda path: path.name)
def test_every_number_is_what_tensorflow_says(path, tmp_path):
    weights = converted(tensorflow_files, path, tmp_path)
    assert not any(weights.entries.values())  # a checkpoint does not name classes
    assert_is_expected(weights, path)
    assert all(layer.decided.startswith("inferred: ") for layer in weights.layers.values())


def test_roles_and_parts(tmp_path):
    layers = converted(tensorflow_files, FOLDER / "keras2" / "weights.index", tmp_path).layers
    assert layers["embedding/embeddings"].role == "embedding"
    assert layers["conv2d_transpose/kernel"].is_transposed
    for leaf in ("kernel", "recurrent_kernel"):
        layer = layers[f"lstm/lstm_cell/{leaf}"]
        assert layer.role == "recurrent"
        assert "".join(parts(layer)) == "ifco"
    # TensorFlow 1 has the gates in another order.
    cell = converted(tensorflow_files, FOLDER / "version1", tmp_path).layers
    assert "".join(parts(cell["basic_lstm_cell/kernel"])) == "ijfo"
    assert cell["Conv/weights"].is_conv


def test_projections_are_told_from_convolutions(tmp_path):
    layers = converted(tensorflow_files, FOLDER / "misnamed", tmp_path).layers
    axes = {layer.name: layer.axes for name, layer in layers.items() if name.endswith("kernel")}
    projections = [f"looks/{name}" for name in ("query", "key", "value", "attention_output")]
    assert axes == {
        "query": ("out", "in", "k1"),
        "output": (),
        **dict.fromkeys(projections, ("out", "in")),
    }


def test_what_is_left_out_is_counted(tmp_path):
    def left_out(name):
        return converted(tensorflow_files, FOLDER / name, tmp_path).manifest["extra"]["left_out"]

    # Adam has two moments of each of 8 variables, a step and a learning rate.
    assert left_out("keras2") == {"optimizer state": 18}
    assert left_out("managed") == {"optimizer state": 18, "counter of steps": 1}
    assert left_out("version1") == {"optimizer state": 6, "counter of steps": 3}
    assert left_out("exported")["second copy of a variable"] == 8


def test_types_are_kept(tmp_path):
    dtypes = converted(tensorflow_files, FOLDER / "mixed", tmp_path).dtypes
    assert dtypes["position_embeddings"] == "float64"
    assert dtypes["half/kernel"] == "float16"
    assert dtypes["brain/kernel"] == "bfloat16"
    assert dtypes["module/steps/0"] == "int32"


def test_partitioned_variables_are_left_out_and_counted(tmp_path):
    path = FOLDER / "refused" / "partitioned.index"
    message = refused(tensorflow_files, path, tmp_path)
    assert "no tensor is left" in message
    assert "1 x partitioned variable, whose pieces are stored apart" in message


@pytest.fixture
def copy(tmp_path):
    return shutil.copytree(FOLDER / "mixed", tmp_path / "mixed")


def test_bad_shards_are_named(copy):
    shard = max(copy.glob("variables.data-*"))
    content = shard.read_bytes()
    shard.write_bytes(content[:-1])
    message = refused(tensorflow_files, copy / "variables.index", copy)
    assert f"{shard}: it has {len(content) - 1} bytes, not {len(content)}" in message
    shard.unlink()
    assert f"{shard}: this shard is missing" in refused(
        tensorflow_files, copy / "variables.index", copy
    )


@pytest.mark.parametrize(
    ("place", "byte", "reason"),
    [
        (40, 0xFF, "a block does not have the checksum stated"),
        (-1, 0, "it does not end as one"),
    ],
)
def test_a_damaged_index_is_refused(place, byte, reason, copy):
    index = copy / "variables.index"
    content = bytearray(index.read_bytes())
    content[place] = byte
    index.write_bytes(content)
    assert f"its index is damaged ({reason}" in refused(tensorflow_files, index, copy)


def test_compressed_blocks_are_refused(copy):
    index = copy / "variables.index"
    content = index.read_bytes()
    at = content.index(b"\0\0\0\0\1\0\0\0") + 8  # the end of a block with one restart, at 0
    index.write_bytes(content[:at] + b"\1" + content[at + 1 :])
    assert "it is compressed by method 1" in refused(tensorflow_files, index, copy)


def test_what_is_no_checkpoint_is_refused(tmp_path):
    folder = shutil.copytree(FOLDER / "managed", tmp_path / "managed")
    (folder / "checkpoint").unlink()
    assert "it does not hold one checkpoint" in refused(tensorflow_files, folder, tmp_path)
    shard = folder / "ckpt-1.data-00000-of-00001"
    assert "Name the .index file" in refused(tensorflow_files, shard, tmp_path)
    (tmp_path / "empty.index").write_bytes(b"")
    assert "its index is damaged" in refused(tensorflow_files, tmp_path / "empty.index", tmp_path)
