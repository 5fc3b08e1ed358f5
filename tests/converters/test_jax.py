"""Parameters of Flax and Haiku without JAX: exact weights."""

import json
import pickle
import shutil
import struct
import sys

import jax_files
import numpy as np
import pytest
from conversions import (
    FIXTURES,
    assert_is_expected,
    converted,
    fixtures,
    parts,
    refused,
)

FOLDER = FIXTURES / "jax"


def needs_tensorstore(path):
    if path.is_dir():
        pytest.importorskip("tensorstore")


@pytest.mark.parametrize("path", fixtures("jax"), ids=lambda path: path.name)
def test_every_number_is_what_the_framework_says(path, tmp_path):
    needs_tensorstore(path)
    weights = converted(jax_files, path, tmp_path)
    assert not any(weights.entries.values())
    assert_is_expected(weights, path)


def test_a_training_state_is_searched_for_its_weights(tmp_path):
    weights = converted(jax_files, FOLDER / "train_state.msgpack", tmp_path)
    # Adam keeps a count and two moments of each of the 21 parameters.
    assert weights.manifest["extra"]["left_out"] == {"optimizer state": 43}
    assert weights.layers["embed/embedding"].role == "embedding"
    assert weights.layers["layers/attention/query/kernel"].axes == ("stack", "out", "in")
    assert weights.layers["layers/dense/bias"].role == "bias"
    assert weights.dtypes["brain/kernel"] == "bfloat16"
    assert weights.dtypes["half/kernel"] == "float16"


def test_roles_and_groups(tmp_path):
    layers = converted(jax_files, FOLDER / "convnet.msgpack", tmp_path).layers
    assert layers["depthwise/kernel"].groups == 8
    assert layers["deconv/kernel"].is_transposed
    assert layers["deconv/kernel"].decided.endswith("transposed conv kernel (k, out, in)")
    assert layers["norm/scale"].role == "norm"
    assert layers["batch_stats/norm/mean"].role == "buffer"
    gates = converted(jax_files, FOLDER / "recurrent.npz", tmp_path).layers
    roles = {name: layer.role for name, layer in gates.items() if name.endswith("kernel")}
    assert len(roles) == 8 + 6 + 2
    assert set(roles.values()) == {"recurrent"}


def test_shapes_and_neighbors_win_over_names(tmp_path):
    layers = converted(jax_files, FOLDER / "misnamed.msgpack", tmp_path).layers
    assert all(layers[f"{name}/kernel"].is_conv for name in ("out", "layers/conv"))
    assert layers["c_proj/kernel"].decided == "inferred: kernel (out, in) by its bias"


def test_gates_of_nnx(tmp_path):
    layers = converted(jax_files, FOLDER / "nnx_cells.msgpack", tmp_path).layers
    kernels = {name: layer for name, layer in layers.items() if name.endswith("kernel")}
    assert len(kernels) == 2 + 2 + 8 + 2
    assert {layer.role for layer in kernels.values()} == {"recurrent"}
    gates = {layer.name: "".join(parts(layer)) for layer in kernels.values() if layer.parts}
    assert gates == {
        "gru/dense_i": "rzn",
        "gru/dense_h": "rzn",
        "fused/dense_i": "ifgo",
        "fused/dense_h": "ifgo",
    }


def pytree(folder, **arrays):
    path = folder / "pytree.npz"
    np.savez(path, **{name: np.asarray(array) for name, array in arrays.items()})
    return path


SCANNED = ("stack", "out", "in"), (4, 6, 5)
HEADS = ("out", "in"), (30, 4)
CONV = ("out", "in", "k1"), (6, 5, 4)
UNKNOWN = (), (4, 5, 6)
QUERY_KEY = ("query/kernel", "key/kernel")


@pytest.mark.parametrize(
    ("shapes", "axes", "shape"),
    [
        # A dense layer under a scan of 4: biases have the axis too. (in, heads, size) otherwise.
        ({"d/kernel": (4, 5, 6), "d/bias": (4, 6)}, *SCANNED),
        ({"d/kernel": (4, 5, 6), "d/bias": (5, 6)}, *HEADS),
        ({"d/kernel": (4, 4, 6), "d/bias": (4, 6)}, ("stack", "out", "in"), (4, 6, 4)),
        ({"query/kernel": (4, 4, 6), "query/bias": (4, 6)}, ("out", "in"), (24, 4)),
        ({"d/kernel": (4, 5, 6), "d/bias": (6,)}, *CONV),
        ({"d/kernel": (4, 5, 6), "norm/scale": (4, 5)}, *SCANNED),
        ({"scan/d/kernel": (4, 5, 6)}, *SCANNED),
        ({"ScanBlock_0/d/kernel": (4, 5, 6)}, *SCANNED),
        ({"layers/d/kernel": (4, 5, 6), "layers/n/scale": (4, 5)}, *SCANNED),
        ({"Conv_0/kernel": (4, 5, 6)}, *CONV),
        # Neither bias nor name nor neighbors tell a convolution from a stack.
        ({"d/kernel": (4, 5, 6), "norm/scale": (5,)}, *UNKNOWN),
        ({"layers/d/kernel": (4, 5, 6)}, *UNKNOWN),
        ({"layers/0/kernel": (4, 5, 6)}, *UNKNOWN),
        ({"d/kernel": (2, 2, 5, 6), "d/bias": (5,)}, ("out", "in", "k1", "k2"), (5, 6, 2, 2)),
        # Projections of an attention are together.
        ({"value/kernel": (4, 5, 6), **dict.fromkeys(QUERY_KEY, (4, 5, 6))}, *HEADS),
        ({"value/kernel": (4, 5, 6)}, *UNKNOWN),
        ({"d/kernel": (5, 4), "d/bias": (5,)}, ("out", "in"), (5, 4)),
        ({"d/kernel": (5, 5), "d/bias": (5,)}, ("out", "in"), (5, 5)),
    ],
)
def test_axes_by_neighbors(shapes, axes, shape, tmp_path):
    name = next(iter(shapes))
    arrays = {
        name: np.arange(np.prod(shape)).reshape(shape) * 1.0 for name, shape in shapes.items()
    }
    layer = converted(jax_files, pytree(tmp_path, **arrays), tmp_path).layers[name]
    assert (layer.axes, layer.shape) == (axes, shape)
    assert layer.role == ("weight" if axes else "unknown")
    assert layer.decided.startswith("inferred: ")


def test_moments_are_known_by_their_form(tmp_path):
    kernel = np.ones((3, 4))
    moments = {f"trained/1/{moment}/d/kernel": kernel for moment in ("mu", "nu")}
    named_mu = {"params/mu/kernel": kernel, "trained/1/count": 3}
    weights = converted(jax_files, pytree(tmp_path, **moments, **named_mu), tmp_path)
    assert list(weights.entries) == ["mu/kernel"]


def test_bfloat16_in_npz_is_left_out_with_its_reason(tmp_path):
    path = pytree(tmp_path, **{"d/kernel": np.zeros((3, 4), "V2")})
    layer = converted(jax_files, path, tmp_path).layers["d/kernel"]
    assert layer.role == "packed"
    assert layer.left_out.startswith("its numbers have lost their type")


def test_names_are_not_lost(tmp_path):
    path = pytree(tmp_path, **{"params/d/kernel": np.ones((3, 4)), "d.kernel": np.ones((3, 4))})
    assert "tensor 'd/kernel': two arrays have this name" in refused(jax_files, path, tmp_path)
    path = pytree(tmp_path, **{"params/opt/kernel": np.ones((3, 4)), "config": "{}"})
    weights = converted(jax_files, path, tmp_path)
    assert list(weights.entries) == ["opt/kernel"]
    assert weights.manifest["extra"]["left_out"] == {"array that does not hold numbers": 1}


def packed(shape: bytes, data: bytes) -> bytes:
    """A map with one array of float32."""
    array = b"\x93" + shape + b"\xa7float32" + b"\xc4" + bytes([len(data)]) + data
    return b"\x81\xa1w\xc7" + bytes([len(array)]) + b"\x01" + array


GOOD = packed(b"\x91\x02", struct.pack("<2f", 1, 2))


def test_an_array_by_hand(tmp_path):
    path = tmp_path / "w.msgpack"
    path.write_bytes(GOOD)
    assert converted(jax_files, path, tmp_path).arrays["w"].tolist() == [1, 2]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "it is empty"),
        (b"hello", "extra bytes"),
        (GOOD[:-1], "it is cut off"),
        (GOOD + b"\xc0", "1 extra bytes"),
        (packed(b"\x91\x03", bytes(8)), "8 bytes do not hold [3] numbers"),
        (packed(b"\x91\xcf" + b"\xff" * 8, bytes(8)), "is not a shape"),
        (packed(b"\x91\xff", bytes(8)), "is not a shape"),
        (b"\x82\xa1w\xc0\xa1w\xc0", "appears twice"),
        (b"\xdf\xff\xff\xff\xff", "it is cut off"),
        (b"\xdd\xff\xff\xff\xff" + b"\xc0" * 1_000_001, "more than 1000000 values"),
        (b"\x91" * 100, "nested deeper than 64"),
        (b"\xc1", "no value of type 0xc1"),
        (b"\x81\xa1w\xd9\x02\xff\xff", "decode"),
        (b"\x81\xa1w\x05", "no tensor is left"),
        (b"\x80\x04}.", "no tensor is left"),
    ],
)
def test_what_is_refused(content, reason, tmp_path):
    path = tmp_path / "bad.msgpack"
    path.write_bytes(content)
    assert reason in refused(jax_files, path, tmp_path)


def copied(folder, name):
    shutil.copytree(FOLDER / name, folder / "copy")
    return folder / "copy"


def test_states_of_optimizers_in_orbax(tmp_path):
    pytest.importorskip("tensorstore")
    # Adam's count and two moments of two parameters; the step is a number, not an array.
    weights = converted(jax_files, FOLDER / "zarr", tmp_path)
    assert weights.manifest["extra"]["left_out"] == {"optimizer state": 5}
    assert weights.dtypes["dense/kernel"] == "bfloat16"
    # A folder of steps, as a CheckpointManager makes it, with one step.
    shutil.copytree(FOLDER / "zarr", tmp_path / "steps" / "5" / "default")
    again = converted(jax_files, tmp_path / "steps", tmp_path)
    assert again.arrays["dense/kernel"].tobytes() == weights.arrays["dense/kernel"].tobytes()


def test_a_missing_chunk_is_no_zero(tmp_path):
    pytest.importorskip("tensorstore")
    path = copied(tmp_path, "zarr")
    (path / "params.dense.kernel" / "0.0").unlink()
    assert "'dense/kernel': it cannot be read" in refused(jax_files, path, tmp_path)


@pytest.mark.parametrize("what", ["shape", "chunks"])
def test_a_claim_of_more_than_the_files_hold(what, tmp_path):
    pytest.importorskip("tensorstore")
    path = copied(tmp_path, "zarr")
    header = path / "params.dense.kernel" / ".zarray"
    header.write_text(json.dumps(json.loads(header.read_text()) | {what: [4_000_000, 3_000_000]}))
    assert "it claims more than the files hold" in refused(jax_files, path, tmp_path)


def metadata(*keys):
    leaf = {"key_metadata": [{"key": key} for key in keys]}
    leaf["value_metadata"] = {"value_type": "jax.Array"}
    return json.dumps({"tree_metadata": {"a": leaf}, "use_ocdbt": False})


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("{", "_METADATA is not valid JSON"),
        ("{}", "its _METADATA is not orbax's"),
        (metadata("..", "/x"), "its name is a path"),
        (metadata(), "its name is a path"),
        (None, "it is a folder without _METADATA"),
    ],
)
def test_folders_that_are_refused(text, reason, tmp_path):
    path = tmp_path / "checkpoint"
    path.mkdir()
    if text is not None:
        (path / "_METADATA").write_text(text)
    assert reason in refused(jax_files, path, tmp_path)


@pytest.mark.parametrize("name", ["_sharding", "params.dense.kernel"])
def test_links_that_lead_elsewhere(name, tmp_path):
    path = copied(tmp_path, "zarr")
    (path / name).rename(tmp_path / "elsewhere")
    (path / name).symlink_to(tmp_path / "elsewhere")
    assert f"{name}: it is a link that leads elsewhere" in refused(jax_files, path, tmp_path)


def test_several_checkpoints(tmp_path):
    for step in "12":
        (tmp_path / "all" / step).mkdir(parents=True)
        (tmp_path / "all" / step / "_METADATA").touch()
    message = refused(jax_files, tmp_path / "all", tmp_path)
    assert "it holds several checkpoints (1, 2). Name one of them" in message


def test_orbax_without_tensorstore(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "tensorstore", None)
    assert "need tensorstore. Install tensorstore" in refused(jax_files, FOLDER / "nnx", tmp_path)


def test_orbax_before_it_listed_its_arrays(tmp_path):
    pytest.importorskip("tensorstore")
    weights = converted(jax_files, FOLDER / "orbax-0.2.7", tmp_path)
    assert weights.dtypes["layers/0/kernel"] == "bfloat16"
    assert weights.manifest["extra"]["left_out"] == {"optimizer state": 3}
    path = copied(tmp_path, "orbax-0.2.7")
    tree = (path / "checkpoint").read_bytes()
    (path / "checkpoint").write_bytes(tree.replace(b"//params.dense.bias", b"//../ams.dense.bias"))
    assert "its name is a path" in refused(jax_files, path, tmp_path)


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_a_pickle_of_numpy_arrays(protocol, tmp_path):
    arrays = {
        "w": np.arange(12.0).reshape(4, 3),
        "f": np.asfortranarray(np.arange(12, dtype=">f4").reshape(4, 3)),
        "step": np.array(3),
    }
    value = {"params": arrays | {"lr": np.float64(0.1)}, "optimizer": {"m": np.ones((4, 3))}}
    path = tmp_path / "model.pkl"
    path.write_bytes(pickle.dumps(value, protocol))
    weights = converted(jax_files, path, tmp_path)
    assert weights.arrays.keys() == arrays.keys()
    for name, array in arrays.items():
        np.testing.assert_array_equal(weights.arrays[name], array)
    assert weights.manifest["extra"]["left_out"] == {"optimizer state": 1}


def test_pickles_without_numbers(tmp_path):
    path = tmp_path / "model.pkl"
    path.write_bytes(pickle.dumps({"w": np.array([{}, []], dtype=object)}, 4))
    message = "left out: 1 x array that does not hold numbers"
    assert message in refused(jax_files, path, tmp_path)


def test_an_array_in_many_places_does_not_fill_the_disk(tmp_path):
    path = tmp_path / "model.pkl"
    array = np.ones(1000)
    path.write_bytes(pickle.dumps({str(number): array for number in range(100)}, 4))
    assert "its arrays overlap and claim" in refused(jax_files, path, tmp_path)


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (lambda content: content[:300], "pickle is damaged"),
        (lambda content: content.replace(b"K\x04K\x02\x86", b"K\xffK\xff\x86"), "cut off"),
        (lambda content: content.replace(b"\x05numpy", b"\x05nvmpy"), "wants to run"),
    ],
)
def test_damaged_joblib(change, problem, tmp_path):
    path = tmp_path / "arrays.joblib"
    content = change((FOLDER / "arrays.joblib").read_bytes())
    path.write_bytes(content)
    assert problem in refused(jax_files, path, tmp_path)
