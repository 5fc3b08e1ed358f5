"""FMT-10: HDF5 files, and all that leads out of them."""

import json

import h5py
import numpy as np
import pytest
from hdf5_trial import walk

from htsr_ref.errors import LayerError, WeightFileError
from htsr_ref.weights import hdf5_file, open_weights

W = np.arange(6, dtype=np.float32).reshape(2, 3)


def refusal(path):
    with pytest.raises(WeightFileError) as caught:
        open_weights(path)
    assert "\n" not in str(caught.value)
    return caught.value


@pytest.fixture(autouse=True)
def trial_in_this_process(monkeypatch):
    """Try files here, not in a process of its own: test_hdf5_trial.py is about that."""
    monkeypatch.setattr(hdf5_file, "trouble", lambda path: walk(path, 0, path.stat().st_size))


@pytest.fixture
def path(tmp_path):
    return tmp_path / "model.h5"


@pytest.mark.spec("FMT-10", "FMT-14")
def test_datasets_depth_first(path):
    with h5py.File(path, "w") as file:
        file["b/inner/w"] = W
        file["a"] = W.astype(np.float64) + 1
        file["b/v"] = np.zeros(3, dtype=">f4")
        file["b/half"] = W.astype(np.float16)
    weights = open_weights(path)
    assert weights.format == "hdf5"
    layers = {layer.tensor: layer for layer in weights.layers}
    assert list(layers) == ["a", "b/half", "b/inner/w", "b/v"]
    assert layers["a"].dtype == "float64"
    np.testing.assert_array_equal(layers["a"].data[...], W + 1)
    np.testing.assert_array_equal(layers["b/half"].data[:, 1:], W[:, 1:])
    np.testing.assert_array_equal(layers["b/inner/w"].data[1, ::-1], W[1, ::-1])
    loaded = layers["b/inner/w"].data.load()
    path.unlink()
    np.testing.assert_array_equal(loaded[...], W)
    with pytest.raises(LayerError, match="'a' cannot be read"):
        layers["a"].data[0]
    with pytest.raises(LayerError, match="'a' cannot be read"):
        layers["a"].data.load()


@pytest.mark.spec("FMT-10")
def test_the_order_of_creation_is_kept_where_the_file_has_it(path):
    with h5py.File(path, "w", track_order=True) as file:
        file["z"] = W
        file["a"] = W
    assert [layer.tensor for layer in open_weights(path).layers] == ["z", "a"]


@pytest.mark.spec("FMT-10")
def test_external_link(path, tmp_path):
    with h5py.File(tmp_path / "other.h5", "w") as file:
        file["secret"] = W
    with h5py.File(path, "w") as file:
        file["group/w"] = h5py.ExternalLink("other.h5", "/secret")
    error = refusal(path)
    assert (error.tensor, error.problem) == ("group/w", "it is a link to another file")


@pytest.mark.spec("FMT-10")
def test_links_of_a_kind_that_h5py_does_not_know(path, monkeypatch):
    with h5py.File(path, "w") as file:
        file["w"] = W

    def refuse(*_, **__):
        raise TypeError("Unknown link type")

    monkeypatch.setattr(h5py.Group, "get", refuse)
    assert refusal(path).problem == "it is a link to another file"


@pytest.mark.spec("FMT-10")
def test_soft_link_through_an_external_one(path, tmp_path):
    with h5py.File(tmp_path / "other.h5", "w") as file:
        file["secret"] = W
    with h5py.File(path, "w") as file:
        file["out"] = h5py.ExternalLink("other.h5", "/")
        file["a"] = h5py.SoftLink("/out/secret")
    assert refusal(path).tensor == "out"


@pytest.mark.spec("FMT-10")
def test_soft_links_are_not_followed(path):
    with h5py.File(path, "w") as file:
        file["w"] = W
        file["dangling"] = h5py.SoftLink("/nowhere")
        file["alias"] = h5py.SoftLink("/w")
    weights = open_weights(path)
    assert [layer.tensor for layer in weights.layers] == ["w"]
    assert weights.warnings == (
        "soft link 'alias' was not followed",
        "soft link 'dangling' was not followed",
    )


@pytest.mark.spec("FMT-6", "FMT-10")
def test_hard_links_are_tied_and_cycles_end(path):
    with h5py.File(path, "w") as file:
        file["a/w"] = W
        file["b"] = file["a/w"]
        file["a/cycle"] = file["/"]
    first, second = open_weights(path).layers
    assert (first.tensor, first.left_out) == ("a/w", None)
    assert (second.tensor, second.same_as) == ("b", "a/w")


@pytest.mark.spec("FMT-10")
def test_external_storage(path, tmp_path):
    (tmp_path / "raw").write_bytes(W.tobytes())
    with h5py.File(path, "w") as file:
        file.create_dataset("w", (2, 3), "f4", external=[("raw", 0, 24)])
    assert "external storage" in refusal(path).problem


@pytest.mark.spec("FMT-10")
def test_virtual_dataset(path, tmp_path):
    with h5py.File(tmp_path / "other.h5", "w") as file:
        file["secret"] = W
    layout = h5py.VirtualLayout((2, 3), "f4")
    layout[...] = h5py.VirtualSource(tmp_path / "other.h5", "secret", (2, 3))
    with h5py.File(path, "w") as file:
        file.create_virtual_dataset("w", layout)
    assert "virtual dataset" in refusal(path).problem


@pytest.mark.spec("FMT-10")
def test_references_and_ragged_arrays(path):
    with h5py.File(path, "w") as file:
        file["w"] = W
        file.create_dataset("r", data=file["w"].ref, dtype=h5py.ref_dtype)
    assert refusal(path).tensor == "r"
    with h5py.File(path, "w") as file:
        file.create_dataset("ragged", (3,), dtype=h5py.vlen_dtype(np.float32))
    assert "lists of varying length" in refusal(path).problem


@pytest.mark.spec("FMT-10")
def test_filters_of_plugins(path):
    with h5py.File(path, "w") as file:
        creation = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        creation.set_chunk((2, 3))
        # 32015 is Zstandard, registered by its authors but not part of HDF5.
        creation.set_filter(32015, h5py.h5z.FLAG_OPTIONAL, ())
        space = h5py.h5s.create_simple((2, 3))
        h5py.h5d.create(file.id, b"w", h5py.h5t.IEEE_F32LE, space, creation)
    assert "a filter that is not part of HDF5" in refusal(path).problem


@pytest.mark.spec("FMT-10", "FMT-17")
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"chunks": (1000, 1000)},
        {"chunks": (1000, 1000), "compression": "gzip"},
    ],
)
def test_a_terabyte_that_was_never_written(path, options):
    with h5py.File(path, "w") as file:
        file.create_dataset("w", (500_000, 500_000), "f4", **options)
    error = refusal(path)
    assert error.problem == "it claims 1000000000000 bytes, but the file holds 0 for it"


@pytest.mark.spec("FMT-10", "FMT-17")
def test_a_compressed_bomb_in_a_dataset_or_in_a_chunk(path):
    with h5py.File(path, "w") as file:
        data = file.create_dataset("w", (40_000, 1000), "f4", chunks=(100, 1000), compression=1)
        data[:100] = 1
    assert "it claims 160000000 bytes" in refusal(path).problem
    with h5py.File(path, "w") as file:
        data = file.create_dataset(
            "w", (1, 10), "f4", maxshape=(None, 10), chunks=(1_000_000, 10), compression=1
        )
        data.id.write_direct_chunk((0, 0), bytes(1000))
    assert refusal(path).problem == "it claims 40000000 bytes, but the file holds 1000 for it"


@pytest.mark.spec("FMT-10")
@pytest.mark.parametrize("compression", ["gzip", "lzf"])
def test_compressed_datasets(path, compression):
    array = np.random.default_rng(3).normal(size=(70, 33))
    with h5py.File(path, "w") as file:
        file.create_dataset("w", data=array, compression=compression, shuffle=True)
    np.testing.assert_array_equal(open_weights(path).layers[0].data[11:40, 3], array[11:40, 3])


@pytest.mark.spec("FMT-10", "FMT-14")
def test_text_compound_and_empty_datasets_are_left_out(path):
    with h5py.File(path, "w") as file:
        file["text"] = ["a", "b"]
        file["null"] = h5py.Empty("f4")
        file["pairs"] = np.zeros((2, 2), dtype=[("re", "f4"), ("im", "f4")])
        file["type"] = np.dtype("f4")
        file["z"] = np.zeros((0, 3), dtype="f4")
    reasons = {layer.tensor: layer.left_out for layer in open_weights(path).layers}
    assert reasons == {
        "null": "buffer",
        "pairs": "numbers of type void64 are not decoded",
        "text": "buffer",
        "z": "it has no elements",
    }


@pytest.mark.spec("FMT-10", "FMT-14", "FMT-15")
@pytest.mark.usefixtures("scripts_here")
def test_keras_3_files_name_their_layers_in_an_attribute(path):
    rng = np.random.default_rng(0)
    kernel = rng.normal(size=(4, 3))
    with h5py.File(path, "w") as file:
        dense = file.create_group("layers/dense/vars")
        dense.attrs["name"] = "classifier"
        dense["0"], dense["1"] = kernel, np.zeros(3)
        lstm = file.create_group("layers/lstm/cell/vars")
        lstm.attrs["name"] = "memory"
        lstm["0"], lstm["1"], lstm["2"] = np.ones((5, 8)), np.ones((2, 8)), np.zeros(8)
        odd = file.create_group("layers/embedding/vars")
        odd.attrs["name"] = [1, 2]
        odd["0"] = np.ones((7, 2))
        odd = file.create_group("layers/embedding_1/vars")
        odd.attrs["name"] = np.bytes_(b"text that is not Unicode")
        odd["0"] = np.ones((7, 2))
    layers = {layer.tensor: layer for layer in open_weights(path).layers}
    dense = layers["layers/dense/vars/0"]
    assert (dense.name, dense.role, dense.shape) == ("classifier", "weight", (3, 4))
    np.testing.assert_array_equal(dense.data[...], kernel.T)
    assert layers["layers/dense/vars/1"].name == "classifier/bias"
    names = [layers[f"layers/lstm/cell/vars/{at}"].name for at in range(3)]
    assert names == [f"lstm/memory/{leaf}" for leaf in ("kernel", "recurrent_kernel", "bias")]
    assert layers["layers/lstm/cell/vars/0"].role == "recurrent"
    assert layers["layers/embedding/vars/0"].role == "embedding"
    for name in ("embedding", "embedding_1"):
        assert layers[f"layers/{name}/vars/0"].name == name


@pytest.mark.spec("FMT-2", "FMT-10")
@pytest.mark.parametrize("value", [np.zeros(3), ["{}", "{}"], 1.5])
def test_a_manifest_that_is_not_a_string(path, value):
    with h5py.File(path, "w") as file:
        file["htsr_manifest"] = value
    assert "not one string" in refusal(path).problem


@pytest.mark.spec("FMT-10", "FMT-17")
def test_nesting(path):
    with h5py.File(path, "w") as file:
        file["g/" * 64 + "w"] = W
    assert open_weights(path).layers[0].shape == (2, 3)
    with h5py.File(path, "w") as file:
        file["g/" * 65 + "w"] = W
    assert "nested more than 64 deep" in refusal(path).problem


@pytest.mark.spec("FMT-10", "FMT-13")
def test_damage_found_when_a_compressed_dataset_is_read(path):
    array = np.random.default_rng(0).normal(size=(100, 100))
    with h5py.File(path, "w") as file:
        data = file.create_dataset("w", data=array, compression="gzip", chunks=(100, 100))
        start = data.id.get_chunk_info(0).byte_offset
    content = bytearray(path.read_bytes())
    content[start + 1000 : start + 1100] = bytes(100)
    path.write_bytes(content)
    data = open_weights(path).layers[0].data
    with pytest.raises(LayerError, match="is damaged"):
        data[0]
    with pytest.raises(LayerError, match="is damaged"):
        data.load()


@pytest.mark.spec("FMT-10", "FMT-17")
def test_truncated_file(path):
    with h5py.File(path, "w") as file:
        file["w"] = W
    path.write_bytes(path.read_bytes()[:-8])
    assert "damaged HDF5 file" in refusal(path).problem


@pytest.mark.spec("FMT-10", "FMT-15")
@pytest.mark.usefixtures("scripts_here")
def test_the_configuration_of_a_keras_file_names_layers_and_classes(tmp_path):
    dense = {"class_name": "Dense", "config": {"name": "fc"}}
    wide = {"class_name": "Conv2D", "config": {"name": "query", "groups": 2}}
    path = tmp_path / "model.h5"
    with h5py.File(path, "w") as file:
        file.attrs["keras_version"] = "2.21.0"
        file.attrs["model_config"] = json.dumps({"config": {"layers": [dense, wide]}})
        file["model_weights/fc/fc/kernel:0"] = np.ones((3, 4), np.float32)
        file["model_weights/query/query/kernel:0"] = np.ones((2, 2, 3, 4), np.float32)
    layers = {layer.name: layer for layer in open_weights(path).layers}
    assert layers["fc"].decided == "stated: Keras kernel (in, out)"
    assert (layers["query"].groups, layers["query"].shape) == (2, (4, 3, 2, 2))


@pytest.mark.spec("FMT-10")
@pytest.mark.parametrize("config", ["{", "[" * 100_000])
@pytest.mark.usefixtures("scripts_here")
def test_a_damaged_configuration_of_a_keras_file(config, tmp_path):
    path = tmp_path / "model.h5"
    with h5py.File(path, "w", libver="latest") as file:
        file.attrs["keras_version"] = "2.21.0"
        file.attrs["model_config"] = config
        file["fc/fc/kernel:0"] = np.ones((3, 4), np.float32)
    with pytest.raises(
        WeightFileError, match=r"keras_files\.py says: model_config is not valid JSON"
    ):
        open_weights(path)
