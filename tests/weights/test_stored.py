"""FMT-13: parts of a tensor, read when they are asked for."""

import math
import os
import pickle
import re
import tempfile
from pathlib import Path

import h5py
import hypothesis.extra.numpy as hnp
import ml_dtypes
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from htsr_ref.errors import ChangedWeightsError, LayerError
from htsr_ref.weights import TensorSpec, backing, open_weights, write_weights
from htsr_ref.weights.backing import FileStamp, InMemory, UncompressedArray
from htsr_ref.weights.meaning.axes import matrix_layout
from htsr_ref.weights.stored import StoredTensor

SHAPES = hnp.array_shapes(min_dims=2, max_dims=4, min_side=1, max_side=4)


@st.composite
def stored_tensor_and_index(draw):
    """A tensor with its stored axes shuffled, its canonical array, and a basic index."""
    shape = draw(SHAPES)
    canonical = np.arange(np.prod(shape), dtype=np.float32).reshape(shape)
    names = ("out", "in", "k1", "k2")[: len(shape)]
    order = draw(st.permutations(range(len(shape))))
    stored = canonical.transpose(order)
    layout = matrix_layout(tuple(names[at] for at in order), stored.shape)
    index = draw(hnp.basic_indices(shape, allow_newaxis=False))
    return StoredTensor("w", "float32", layout, InMemory(stored)), canonical, index


@pytest.mark.spec("FMT-3", "FMT-13")
@given(stored_tensor_and_index())
def test_indexing_is_that_of_numpy(case):
    tensor, canonical, index = case
    assert tensor.shape == canonical.shape
    part = tensor[index]
    np.testing.assert_array_equal(part, canonical[index].astype(np.float64))
    assert part.dtype == np.float64
    assert part.shape == canonical[index].shape
    assert not np.shares_memory(part, canonical)


@pytest.mark.spec("FMT-16")
@given(st.data())
def test_merged_axes_are_a_reshape(data):
    sizes = data.draw(st.tuples(*[st.integers(1, 4)] * 5))
    names = data.draw(st.permutations(["out", "out", "in", "in", "k1"]))
    stored = np.arange(np.prod(sizes), dtype=np.float64).reshape(sizes)
    tensor = StoredTensor("w", "float64", matrix_layout(tuple(names), sizes), InMemory(stored))
    out = [at for at, name in enumerate(names) if name == "out"]
    in_ = [at for at, name in enumerate(names) if name == "in"]
    expected = stored.transpose(*out, *in_, names.index("k1")).reshape(tensor.shape)
    np.testing.assert_array_equal(tensor[...], expected)
    np.testing.assert_array_equal(tensor[-1, ::2], expected[-1, ::2])


@pytest.mark.spec("FMT-13")
@pytest.mark.parametrize(
    ("index", "error"),
    [
        (2, IndexError),
        ((0, -4), IndexError),
        ((0, 0, 0), IndexError),
        ((..., 0, ...), IndexError),
        (True, TypeError),
        (np.True_, TypeError),
        ([0, 1], TypeError),
        (1.0, TypeError),
        (None, TypeError),
        ("w", TypeError),
    ],
)
def test_bad_index(index, error):
    data = open_weights({"w": np.zeros((2, 3))}).layers[0].data
    with pytest.raises(error):
        data[index]


@pytest.mark.spec("FMT-13")
def test_numpy_integers_index():
    data = open_weights({"w": np.eye(3)}).layers[0].data
    assert data[np.int64(1), np.uint8(1)].shape == ()
    assert data[np.int64(1), np.uint8(1)] == 1.0


def arrays(dtypes):
    rng = np.random.default_rng(5)
    return {
        f"t{number}": (rng.normal(size=(6, 4)) * 20).astype(dtype)
        for number, dtype in enumerate(dtypes)
    }


@pytest.mark.spec("FMT-1", "FMT-12", "FMT-13")
@pytest.mark.usefixtures("scripts_here")
def test_the_same_numbers_through_every_format(tmp_path):
    given_arrays = arrays([np.float64, np.float32, np.float16, np.int8, np.uint16])
    write_weights(tmp_path / "a.safetensors", given_arrays)
    write_weights(tmp_path / "a.h5", given_arrays, format="hdf5")
    np.savez(tmp_path / "a.npz", **given_arrays)
    np.savez_compressed(tmp_path / "b.npz", **given_arrays)
    (tmp_path / "folder").mkdir()
    write_weights(tmp_path / "folder" / "a.safetensors", given_arrays)
    sources = [tmp_path / name for name in ("a.safetensors", "a.h5", "a.npz", "b.npz", "folder")]
    for source in [*sources, given_arrays]:
        layers = {layer.tensor: layer for layer in open_weights(source).layers}
        assert layers.keys() == given_arrays.keys()
        for name, array in given_arrays.items():
            layer = layers[name]
            assert (layer.dtype, layer.shape) == (array.dtype.name, array.shape)
            expected = array.astype(np.float64)
            for tensor in (layer.data, layer.data.load()):
                np.testing.assert_array_equal(tensor[...], expected, strict=True)
                np.testing.assert_array_equal(tensor[::-2, 1], expected[::-2, 1], strict=True)
    for name, array in given_arrays.items():
        np.save(tmp_path / f"{name}.npy", array)
        (layer,) = open_weights(tmp_path / f"{name}.npy").layers
        np.testing.assert_array_equal(layer.data[1:], array[1:].astype(np.float64), strict=True)


@pytest.mark.spec("FMT-12")
@pytest.mark.parametrize("dtype", ["bfloat16", "float8_e4m3fn", "float8_e5m2"])
def test_narrow_floats_in_memory_and_in_safetensors(tmp_path, dtype):
    given_arrays = arrays([getattr(ml_dtypes, dtype)])
    write_weights(tmp_path / "a.safetensors", given_arrays)
    for source in (given_arrays, tmp_path / "a.safetensors"):
        (layer,) = open_weights(source).layers
        assert layer.dtype == dtype
        np.testing.assert_array_equal(layer.data[...], given_arrays["t0"].astype(np.float64))


@pytest.mark.spec("FMT-13")
@pytest.mark.parametrize("name", ["a.safetensors", "a.h5", "a.npz", "b.npz", "a.npy"])
@pytest.mark.parametrize("change", ["vanish", "touch", "grow"])
@pytest.mark.usefixtures("scripts_here")
def test_a_file_that_changed_after_it_was_opened(tmp_path, name, change):
    array = {"a": np.eye(3)}
    write_weights(tmp_path / "a.safetensors", array)
    write_weights(tmp_path / "a.h5", array, format="hdf5")
    np.savez(tmp_path / "a.npz", **array)
    np.savez_compressed(tmp_path / "b.npz", **array)
    np.save(tmp_path / "a.npy", array["a"])
    path = tmp_path / name
    data = open_weights(path).layers[0].data
    if change == "vanish":
        path.unlink()
    elif change == "touch":
        os.utime(path, ns=(0, 0))
    else:
        path.write_bytes(path.read_bytes() + b"x")
    if change == "vanish":
        expected, match = LayerError, r"tensor 'a' cannot be read: .*Open the weights again"
    else:
        expected, match = ChangedWeightsError, f"{re.escape(name)}: it has changed since it was"
    with pytest.raises(expected, match=match):
        data[0]


@pytest.mark.spec("FMT-13")
@pytest.mark.parametrize("size", [0, 100, 30_000])
def test_a_file_that_shrinks_while_it_is_read(tmp_path, monkeypatch, size):
    path = tmp_path / "a.npy"
    np.save(path, np.ones((100, 100)))
    data, plain = open_weights(path).layers[0].data, FileStamp.check

    def shrink(stamp, file):
        plain(stamp, file)
        os.truncate(path, size)

    monkeypatch.setattr(FileStamp, "check", shrink)
    with pytest.raises(ChangedWeightsError, match="it has changed since it was opened"):
        data[...]


@pytest.mark.spec("FMT-13")
def test_a_file_that_changes_while_it_is_read(tmp_path, monkeypatch):
    path = tmp_path / "a.npy"
    np.save(path, np.ones((4, 4)))
    data = open_weights(path).layers[0].data

    def touched(*arguments):
        codes = read_part(*arguments)
        os.utime(path, ns=(0, 0))
        return codes

    read_part = backing._read_part
    monkeypatch.setattr(backing, "_read_part", touched)
    with pytest.raises(ChangedWeightsError, match="it has changed since it was opened"):
        data[...]


@pytest.mark.spec("FMT-13")
@given(st.data(), st.sampled_from("CF"), st.booleans())
def test_any_part_is_read_in_one_piece_or_in_several(data, order, sparse):
    shape = tuple(data.draw(st.lists(st.integers(1, 6), min_size=1, max_size=4)))
    array = np.asarray(np.arange(math.prod(shape)).reshape(shape), np.int32, order=order)
    index = tuple(
        slice(data.draw(st.integers(0, n)), data.draw(st.integers(0, n)), data.draw(_STEPS))
        for n in shape
    )
    with tempfile.NamedTemporaryFile() as file, pytest.MonkeyPatch.context() as patch:
        if sparse:
            patch.setattr(backing, "SMALL_READ", 0)
            patch.setattr(backing, "SPARSE", 1)
        file.write(b"abc" + array.tobytes(order="A"))
        file.flush()
        stamp = FileStamp.of(Path(file.name), file)
        stored = UncompressedArray(stamp, 3, shape, "<i4", order)
        np.testing.assert_array_equal(stored.read(index), array[index], strict=True)
        np.testing.assert_array_equal(stored.load().read(index), array[index])
        by_strides = UncompressedArray(stamp, 3, shape, "<i4", strides=array.strides)
        np.testing.assert_array_equal(by_strides.read(index), array[index], strict=True)


_STEPS = st.integers(1, 3)


@pytest.mark.spec("FMT-13")
def test_load_reads_the_file_once(tmp_path, monkeypatch):
    path = tmp_path / "x.h5"
    write_weights(path, {"w": np.ones((2, 2, 3, 3))}, format="hdf5")
    opened = []
    original = h5py.File
    monkeypatch.setattr(h5py, "File", lambda *args: opened.append(args) or original(*args))
    data = open_weights(path).layers[0].data.load()
    assert len(opened) == 2
    assert [data[..., at, at].sum() for at in range(3)] == [4.0, 4.0, 4.0]
    assert len(opened) == 2


@pytest.mark.spec("FMT-13")
def test_a_tensor_without_elements(tmp_path):
    path = tmp_path / "x.safetensors"
    write_weights(path, {"w": np.zeros((0, 3))})
    (layer,) = open_weights(path).layers
    assert layer.left_out == "it has no elements"
    assert layer.data[:, 1:].shape == (0, 2)


def test_tensors_travel_to_other_processes(tmp_path):
    path = tmp_path / "x.safetensors"
    write_weights(path, {"w": np.eye(3)}, {"w": TensorSpec("weight")})
    data = pickle.loads(pickle.dumps(open_weights(path).layers[0].data))
    np.testing.assert_array_equal(data[...], np.eye(3))


@pytest.mark.parametrize("axes", [("in",), ("in", "k1"), ("out", "in", "k2"), ("stack", "in")])
def test_layouts_name_what_is_wrong(axes):
    with pytest.raises(ValueError, match="cannot have the axes"):
        matrix_layout(axes, (3,) * len(axes))


@pytest.mark.spec("FMT-3")
@given(st.data())
def test_a_view_cuts_an_axis_before_the_others_are_ordered(data):
    groups, in_, out, side = (data.draw(st.integers(1, 4)) for _ in range(4))
    stored = np.arange(groups * in_ * out * side, dtype=np.float64)
    stored = stored.reshape(groups * in_, out, side)  # a transposed convolution's
    layout = matrix_layout(("out", "in", "out", "k1"), stored.shape, (groups, in_, out, side))
    tensor = StoredTensor("w", "float64", layout, InMemory(stored))
    expected = np.concatenate([part.swapaxes(0, 1) for part in np.split(stored, groups)])
    np.testing.assert_array_equal(tensor[...], expected)
