"""PyTorch's checkpoints without PyTorch: exact weights."""

import pickle
import re
import zipfile
from dataclasses import replace
from functools import reduce

import jax_files
import ml_dtypes
import numpy as np
import numpy_files
import paddle_files
import pytest
import pytorch
from conversions import (
    FIXTURES,
    assert_is_expected,
    convert,
    converted,
    expected,
    fixtures,
    parts,
    refused,
)
from safetensors.numpy import save_file
from torch_pickles import tensor

from htsr_ref import analyze
from htsr_ref.conventions import SDM2020_TEXT

FOLDER = FIXTURES / "pytorch"


@pytest.mark.parametrize("path", fixtures("pytorch"), ids=lambda path: path.name)
def test_every_number_is_what_pytorch_says(path, tmp_path):
    weights = converted(pytorch, path, tmp_path)
    assert_is_expected(weights, path)
    facts = {key for entry in weights.entries.values() for key in entry}
    assert facts <= {"quantization", "same_as"}


def test_roles_and_parts(tmp_path):
    layers = converted(pytorch, FOLDER / "recurrent.pt", tmp_path).layers
    for name, gates in {"lstm": "ifgo", "projected": "ifgo", "gru": "rzn", "rnn": ""}.items():
        layer = layers[f"{name}.weight_hh_l0"]
        assert layer.role == "recurrent"
        assert "".join(parts(layer)) == gates
    assert "".join(parts(layers["cell.weight_ih"])) == "ifgo"
    assert not layers["projected.weight_hr_l0"].parts


def test_a_checkpoint_is_searched_for_its_weights(tmp_path):
    weights = converted(pytorch, FOLDER / "checkpoint.pt", tmp_path)
    assert weights.entries["head.weight"]["same_as"] == "embed.weight"
    assert "head.weight" not in weights.arrays
    assert weights.dtypes["brain.weight"] == "bfloat16"
    assert weights.dtypes["e4"] == "float8_e4m3fn"
    assert weights.layers["mask"].role == "mask"
    left_out = weights.manifest["extra"]["left_out"]
    # Adam keeps a step and two moments of each of the 9 parameters of float32.
    assert left_out == {"optimizer state": 27, "tensor of 'model_ema'": 20}
    assert "--key model_ema" in weights.manifest["extra"]["notes"][0]


def test_a_key_chooses(tmp_path):
    path = FOLDER / "checkpoint.pt"
    ema = converted(pytorch, path, tmp_path, "--key", "model_ema")
    model = converted(pytorch, path, tmp_path)
    for name, array in model.arrays.items():
        np.testing.assert_array_equal(ema.arrays[name], array)
    # Clones are not tied.
    assert "same_as" not in ema.entries["head.weight"]
    assert "there is no 'nothing'" in refused(pytorch, path, tmp_path, "--key", "model.nothing")


def test_lightning_and_adapters(tmp_path):
    weights = converted(pytorch, FOLDER / "lightning.ckpt", tmp_path)
    assert weights.layers["model.h.0.mlp.c_fc.lora_A.weight"].role == "adapter"
    qkv = weights.layers["model.h.0.attn.c_attn.weight"]
    assert list(parts(qkv)) == ["q", "k", "v"]
    assert qkv.decided.startswith("inferred: ")
    # One embedding, and weight and bias of four layers.
    assert weights.manifest["extra"]["left_out"] == {"optimizer state": 27}


def test_groups_of_convolutions(tmp_path):
    layers = converted(pytorch, FOLDER / "convnet.pt", tmp_path).layers
    groups = {name: layer.groups for name, layer in layers.items() if layer.is_conv}
    # Plain grouped convolutions cannot be told from others: their groups are not in the file.
    assert groups == {
        "conv1.weight": 1,
        "conv2.weight": 1,
        "depthwise.weight": 5,
        "conv3.weight": 1,
        "up.weight": 1,
        "grouped_up.weight": 2,
        "deconv.weight": 1,
    }


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("sparse.pt", "no tensor is left to write (left out: 1 x it is sparse)"),
        ("expanded.pt", "left out: 1 x it repeats its numbers"),
        ("module.pt", "wants to run '__main__.Scripted', which is not on the list"),
        ("frozen.pt", "frozen TorchScript, whose weights have no names"),
    ],
)
def test_what_is_refused(name, reason, tmp_path):
    assert reason in refused(pytorch, FOLDER / "refused" / name, tmp_path)


def test_a_pruned_weight_is_read_with_its_mask(tmp_path):
    weights = converted(pytorch, FOLDER / "refused" / "pruned.pt", tmp_path)
    original, mask = (weights.arrays[f"0.weight_{part}"] for part in ("orig", "mask"))
    assert (mask == 0).any()
    layer = weights.layers["0.weight_orig"]
    assert (layer.name, layer.role, layer.left_out) == ("0", "weight", None)
    np.testing.assert_array_equal(layer.data[...], original * mask)


def test_a_scale_beside_codes_is_part_of_the_weight(tmp_path):
    weights = converted(pytorch, FOLDER / "refused" / "scaled.pt", tmp_path)
    assert weights.layers["fc.scale"].role == "scale"
    codes = weights.arrays["fc.weight"].view(ml_dtypes.float8_e4m3fn).astype(float)
    values = codes * weights.arrays["fc.scale"].astype(float)
    np.testing.assert_array_equal(weights.layers["fc.weight"].data[...], values)


def test_layers_whose_names_say_what_they_are_not(tmp_path):
    layers = converted(pytorch, FOLDER / "misnamed.pt", tmp_path).layers
    assert layers["embed.weight"].role == layers["ln_1.weight"].role == "weight"
    assert layers["relative_attention_bias.weight"].role == "embedding"
    # Only within a module is a name that of a parameter.
    assert layers["pe"].role == "unknown"
    assert layers["convtasnet.0.weight"].is_conv
    assert not layers["convtasnet.0.weight"].is_transposed


def test_what_lies_beside_a_key_is_counted(tmp_path):
    arrays = {"w": np.ones((3, 4))}
    value = {
        "model": arrays,
        "ema": {"slow": arrays, "fast": arrays | {"v": np.ones(2)}},
        "optimizer": {"state": {0: arrays}, "param_groups": []},
        "deep": reduce(lambda inner, _: [inner], range(70), [np.ones(1)]),
    }
    path = tmp_path / "model.pkl"
    path.write_bytes(pickle.dumps(value, 4))
    weights = converted(paddle_files, path, tmp_path, "--key", "ema.slow")
    assert weights.entries.keys() == {"w"}
    too_deep = {"part too large or too deep to be counted": 1}
    assert weights.manifest["extra"]["left_out"] == too_deep
    del value["deep"]
    path.write_bytes(pickle.dumps(value, 4))
    weights = converted(paddle_files, path, tmp_path, "--key", "ema.slow")
    assert weights.manifest["extra"]["left_out"] == {
        "tensor of 'model'": 1,
        "tensor of 'ema.fast'": 2,
        "optimizer state": 1,
    }


def rezipped(target, change=lambda name, content: content, method=zipfile.ZIP_STORED):
    """A copy of a checkpoint whose members are changed; None leaves one out."""
    with zipfile.ZipFile(FOLDER / "convnet.pt") as old, zipfile.ZipFile(target, "w") as new:
        for info in old.infolist():
            content = change(info.filename, old.read(info))
            if content is not None:
                new.writestr(info.filename, content, method)
    return target


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (lambda name, content: b"big" if "byteorder" in name else content, "big-endian"),
        (lambda name, content: None if name.endswith("/0") else content, "'0' are missing"),
        (lambda name, content: content[:-4] if name.endswith("/0") else content, "are cut off"),
        (lambda name, content: None if "pkl" in name else content, "not one of PyTorch"),
    ],
)
def test_archives_that_do_not_hold_together(change, problem, tmp_path):
    assert problem in refused(pytorch, rezipped(tmp_path / "model.pt", change), tmp_path)


def test_a_compressed_archive(tmp_path):
    path = rezipped(tmp_path / "model.pt", method=zipfile.ZIP_DEFLATED)
    assert "is compressed" in refused(pytorch, path, tmp_path)


def test_a_changed_number_is_noticed(tmp_path):
    content = bytearray((FOLDER / "convnet.pt").read_bytes())
    with np.load(FOLDER / "convnet.pt.expected.npz") as arrays:
        content[content.index(arrays["fc.weight"].tobytes())] ^= 1
    path = tmp_path / "model.pt"
    path.write_bytes(content)
    assert "does not have the checksum stated" in refused(pytorch, path, tmp_path)


@pytest.mark.parametrize("name", ["convnet.pt", "legacy.pth"])
@pytest.mark.parametrize("part", [0.0, 0.01, 0.3, 0.6, 0.99])
def test_truncated_files(name, part, tmp_path):
    content = (FOLDER / name).read_bytes()
    path = tmp_path / "model.pt"
    path.write_bytes(content[: int(part * len(content))])
    refused(pytorch, path, tmp_path)


def test_the_content_decides_not_the_name(tmp_path):
    path = tmp_path / "model.safetensors"
    path.write_bytes((FOLDER / "convnet.pt").read_bytes())
    assert_is_expected(converted(pytorch, path, tmp_path), FOLDER / "convnet.pt")
    single = FIXTURES / "numpy" / "single.npy"
    assert "it is a NumPy file. Use numpy_files.py" in refused(pytorch, single, tmp_path)


def test_what_is_not_a_regular_file(tmp_path):
    assert "not a regular file" in refused(pytorch, tmp_path, tmp_path)


def test_quantized_tensors_have_the_values_of_pytorch(tmp_path):
    path = FOLDER / "quantized.pt"
    weights = converted(pytorch, path, tmp_path)
    with np.load(FOLDER / "quantized.pt.values.npz") as values:
        quantized = [name for name, e in weights.entries.items() if "quantization" in e]
        assert sorted(quantized) == sorted(values)
        for name in quantized:
            codes = weights.arrays[name]
            how = weights.entries[name]["quantization"]
            shape = [1] * codes.ndim
            if how["axis"] is not None:
                shape[how["axis"]] = -1
            # PyTorch computes in float32.
            zero, scale = (np.reshape(how[key], shape) for key in ("zero_point", "scale"))
            found = (codes - zero.astype(np.float32)) * scale.astype(np.float32)
            np.testing.assert_array_equal(found, values[name], strict=True)
    assert weights.layers["table._packed_params._packed_weight"].role == "embedding"
    report = analyze(tmp_path / "converted.safetensors")
    assert report.model.matrices > 0


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (lambda content: b"x" + content[1:], "not an intact tar archive"),
        (lambda content: content[:700], "not an intact tar archive|lists of tensors are damaged"),
        (lambda content: content.replace(b"pickle", b"pickl\xe9", 1), "not one of PyTorch"),
        (lambda content: content.replace(b"FloatStorage", b"FloatStorehut", 1), "Storehut|damaged"),
    ],
)
def test_the_oldest_format_damaged(change, problem, tmp_path):
    path = tmp_path / "old.pt"
    path.write_bytes(change((FOLDER / "oldest.pt").read_bytes()))
    assert re.search(problem, refused(pytorch, path, tmp_path))


def test_a_tree_without_anything_of_pytorch_has_no_known_axes(tmp_path):
    path = tmp_path / "model.pkl"
    path.write_bytes(pickle.dumps({"conv": {"kernel": np.ones((3, 3, 4, 8))}}, 4))
    assert "nothing of PyTorch" in refused(pytorch, path, tmp_path)
    assert "Use jax_files.py" in refused(pytorch, path, tmp_path)
    assert "Use jax_files.py" in refused(pytorch, FIXTURES / "jax" / "jax.pkl", tmp_path)
    assert "Use jax_files.py" in refused(pytorch, FIXTURES / "jax" / "arrays.joblib", tmp_path)


@pytest.mark.parametrize("kind", [ml_dtypes.bfloat16, ml_dtypes.float8_e4m3fn])
def test_arrays_of_types_that_numpy_lacks_keep_them(kind, tmp_path):
    array = np.arange(-3, 3).astype(kind)
    parts = pickle.dumps(array, 2)[2:-1]
    with zipfile.ZipFile(tmp_path / "x.pt", "w") as file:
        pair = b"U\x01t" + tensor(b"0", 0, (2, 2), (2, 1)) + b"U\x01a" + parts
        file.writestr("model/data.pkl", b"\x80\x02}(" + pair + b"u.")
        file.writestr("model/data/0", bytes(16))
    (tmp_path / "x.pdparams").write_bytes(pickle.dumps({"a": array, "b": ("own", array)}, 2))
    for converter, name in ((pytorch, "x.pt"), (paddle_files, "x.pdparams")):
        weights = converted(converter, tmp_path / name, tmp_path)
        assert weights.dtypes["a"] == array.dtype.name
        np.testing.assert_array_equal(weights.arrays["a"].view(kind), array)
        assert set(weights.dtypes.values()) <= {array.dtype.name, "float32"}


@pytest.mark.usefixtures("scripts_here")
def test_the_same_weights_give_the_same_report_whatever_they_come_in(tmp_path):
    state = expected(FOLDER / "parameters.pt")
    arrays = {name: state[name] for name in ("plain", "with_state", "tensor_with_state")}
    (tmp_path / "model.pkl").write_bytes(pickle.dumps(arrays, 4))
    np.savez(tmp_path / "model.npz", **arrays)
    save_file(arrays, tmp_path / "model.safetensors")
    convention = replace(SDM2020_TEXT, min_dim=0)
    reports = [analyze(tmp_path / name, convention) for name in ("model.npz", "model.safetensors")]
    for converter, name, *end in (
        (pytorch, FOLDER / "parameters.pt", "--include", "*plain", "--include", "*_state"),
        (jax_files, "model.pkl"),
        (numpy_files, "model.npz"),
    ):
        for output in (tmp_path / "out.safetensors", tmp_path / "out.h5"):
            run = convert(converter, tmp_path / name, "-o", output, *end)
            assert run.code == 0, run.err
            reports.append(analyze(output, convention))
    assert reports[0].model.matrices == 3
    # Files keep their own orders.
    layers = [sorted(report.layers, key=lambda layer: layer.name) for report in reports]
    assert all(other == layers[0] for other in layers)
