"""`htsr validate`: a weight file is well formed, fits its manifest and is finite."""

import hashlib
import json
import os

import h5py
import numpy as np
import pytest
from commands import tensors
from safetensors.numpy import save_file

from htsr_ref.weights import TensorSpec, write_weights


def test_a_declared_file_is_in_order(htsr, examples):
    outcome = htsr("validate", examples[0])
    assert (outcome.code, outcome.err) == (0, "")
    assert outcome.out == (
        f"{examples[0]}: safetensors, 8 tensors, 8 stated by the file; all well formed and finite\n"
    )


def test_a_plain_file_is_in_order(htsr, model):
    assert " 0 stated by the file; all well formed" in htsr("validate", model).out


def test_every_tensor_with_a_bad_entry_is_named(htsr, tmp_path):
    bad = tensors()
    bad["conv.weight"][1, 2, 0, 1] = bad["conv.weight"][2, 0, 0, 0] = np.nan
    bad["fc1.bias"][4] = -np.inf
    save_file(bad, tmp_path / "bad.safetensors")
    outcome = htsr("validate", tmp_path / "bad.safetensors")
    assert outcome.code == 1
    assert outcome.out.endswith("; faults: 2\n")
    cure = "Repair or re-export the checkpoint"
    assert outcome.err.splitlines() == [
        f"htsr: tensor 'conv.weight': entry [1, 2, 0, 1] is nan. {cure}",
        f"htsr: tensor 'fc1.bias': entry [4] is -inf. {cure}",
    ]


@pytest.mark.usefixtures("scripts_here")
def test_hdf5_is_validated_as_well(htsr, tmp_path):
    with h5py.File(tmp_path / "m.h5", "w") as file:
        file["dense/kernel"] = np.array([[1.0, np.inf]])
    outcome = htsr("validate", tmp_path / "m.h5")
    assert outcome.code == 1
    assert "tensor 'dense/kernel': entry [1, 0] is inf" in outcome.err


def test_what_a_user_should_know_of_the_file_is_said(htsr, tmp_path):
    save_file(tensors(), tmp_path / "a.safetensors")
    index = tmp_path / "model.safetensors.index.json"
    index.write_text(json.dumps({"weight_map": {"fc1.weight": "a.safetensors"}}))
    outcome = htsr("validate", index)
    assert outcome.code == 0
    assert "htsr: warning: a.safetensors: tensor 'fc2.weight' is not in the index" in outcome.err


@pytest.mark.spec("FMT-11")
@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_a_damaged_archive_is_no_sound_file(htsr, tmp_path, save):
    path = tmp_path / "m.npz"
    rng = np.random.default_rng(0)
    save(path, **{"a.weight": rng.standard_normal((60, 50)), "b.weight": np.eye(9)})
    content = bytearray(path.read_bytes())
    content[2000:2100] = bytes(100)
    path.write_bytes(content)
    for command in ("validate", "analyze"):
        outcome = htsr(command, path)
        assert outcome.code == 1
        assert "tensor 'a.weight' cannot be read" in outcome.err
        assert "is damaged (" in outcome.err
        assert outcome.err.endswith("). Save or download it again\n")
        assert outcome.err.count("\n") == 1
    assert "; faults: 1\n" in htsr("validate", path).out


@pytest.mark.skipif(os.name == "nt", reason="no such names")
def test_a_files_name_cannot_talk_to_the_terminal(htsr, tmp_path, model):
    hostile = model.rename(tmp_path / "a\n\x1b[31m.safetensors")
    outcome = htsr("validate", hostile)
    assert outcome.out.startswith(f"{tmp_path}/a\\n\\x1b[31m.safetensors: safetensors, 4 tensors")
    assert outcome.out.count("\n") == 1


@pytest.mark.spec("FMT-18")
def test_the_digest_of_the_source_is_compared(htsr, tmp_path):
    source = tmp_path / "model.pt"
    source.write_bytes(b"a checkpoint")
    digest = hashlib.sha256(b"a checkpoint").hexdigest()
    path = tmp_path / "m.safetensors"
    write_weights(path, {"w": np.eye(3)}, {"w": TensorSpec("weight")}, {"sha256": digest})
    assert htsr("validate", path, "--source", source).code == 0
    source.write_bytes(b"another")
    outcome = htsr("validate", path, "--source", source)
    assert (outcome.code, outcome.out[-10:]) == (1, "faults: 1\n")
    assert f"it was not made from {source} as it is now" in outcome.err
    assert htsr("validate", path, "--source", tmp_path / "none").code == 2


@pytest.mark.spec("FMT-18")
def test_a_file_of_several_sources(htsr, tmp_path):
    digests = ""
    for name in "ab":
        (tmp_path / name).write_bytes(name.encode())
        digests += hashlib.sha256(name.encode()).hexdigest()
    path = tmp_path / "m.safetensors"
    source = {"sha256": hashlib.sha256(digests.encode()).hexdigest()}
    write_weights(path, {"w": np.eye(3)}, {"w": TensorSpec("weight")}, source)
    given = ("--source", tmp_path / "b", "--source", tmp_path / "a")
    assert htsr("validate", path, *given).code == 0


def test_a_plain_file_has_no_digest_to_compare(htsr, model):
    outcome = htsr("validate", model, "--source", model)
    assert outcome.code == 2
    assert "does not say what it was made from" in outcome.err
