"""`htsr validate`: a weight file is well formed, fits its manifest and is finite."""

import json

import h5py
import numpy as np
from commands import tensors
from safetensors.numpy import save_file


def test_a_declared_file_is_in_order(htsr, examples):
    outcome = htsr("validate", examples[0])
    assert (outcome.code, outcome.err) == (0, "")
    assert outcome.out == (
        f"{examples[0]}: safetensors, 8 tensors, 8 declared by a manifest; "
        "all well formed and finite\n"
    )


def test_a_plain_file_is_in_order(htsr, model):
    assert " 0 declared by a manifest; all well formed" in htsr("validate", model).out


def test_every_tensor_with_a_bad_entry_is_named(htsr, tmp_path):
    bad = tensors()
    bad["conv.weight"][1, 2, 0, 1] = bad["conv.weight"][2, 0, 0, 0] = np.nan
    bad["fc1.bias"][4] = -np.inf
    save_file(bad, tmp_path / "bad.safetensors")
    outcome = htsr("validate", tmp_path / "bad.safetensors")
    assert outcome.code == 1
    assert outcome.out.endswith("; 2 with bad data\n")
    cure = "Repair or re-export the checkpoint"
    assert outcome.err.splitlines() == [
        f"htsr: tensor 'conv.weight': entry [1, 2, 0, 1] is nan. {cure}",
        f"htsr: tensor 'fc1.bias': entry [4] is -inf. {cure}",
    ]


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
