"""Formats that are recognized and not read: one line that leads on."""

import io
import pickle
import struct
import zlib

import gguf_files
import numpy as np
import pytest
from conversions import refused

from htsr_ref.errors import WeightFileError
from htsr_ref.weights import open_weights


def row(*shapes):
    """Arrays one after the other, as Equinox writes the leaves of a tree."""
    file = io.BytesIO()
    for shape in shapes:
        np.save(file, np.ones(shape, np.float32))
    return file.getvalue()


GRAPH = b'<?xml version="1.0"?>\n<net name="x" version="11"><layers/></net>'
PIECE = struct.pack("<IQI", 0, 0, 0) + bytes(16)


@pytest.mark.spec("FMT-24")
@pytest.mark.parametrize(
    ("files", "name", "what", "cure"),
    [
        ({"m.eqx": row((4, 3), (4,))}, "m.eqx", "Equinox", "numpy.savez"),
        ({"m.eqx": b'{"width": 3}\n' + row((4, 3))}, "m.eqx", "Equinox", "numpy.savez"),
        ({"m.pdmodel": b"\n"}, "m.pdmodel", "a Paddle model for inference", "paddle.save"),
        ({"p/__model__": b"\n", "p/fc.w": PIECE}, "p", "a Paddle model", "paddle.save"),
        ({"p/m.pdmodel": b"\n", "p/m.pdiparams": PIECE}, "p", "a Paddle model", "paddle.save"),
        ({"m.pdiparams": PIECE}, "m.pdiparams", "have no names", ".pdparams"),
        ({"m.mlmodel": b"\x08\x04\x12\x02\n\x00"}, "m.mlmodel", "a Core ML model", "made from"),
        ({"m/Manifest.json": b"{}", "m/Data/x": b"x"}, "m", "a Core ML model", "made from"),
        ({"m.xml": GRAPH}, "m.xml", "an OpenVINO model", "made from"),
        ({"m.xml": GRAPH, "m.bin": bytes(64)}, "m.bin", "an OpenVINO model", "made from"),
        ({"d/__0_0.distcp": b"PK\x03\x04"}, "d", "distributed checkpoint", "dcp_to_torch"),
        ({"a.distcp": b"PK\x03\x04"}, "a.distcp", "distributed checkpoint", "dcp_to_torch"),
        ({"m.joblib": zlib.compress(pickle.dumps([1]))}, "m.joblib", "zlib", "joblib.dump"),
        ({"m.pkl": b"\x80\x04csklearn.svm\nSVC\n)R."}, "m.pkl", "sklearn.svm.SVC", "skops"),
        ({"m.gguf": b"GGUF" + struct.pack("<IQQ", 3, 0, 0)}, "m.gguf", "no tensors", "weights"),
    ],
)
@pytest.mark.usefixtures("scripts_here")
def test_one_line_that_leads_on(files, name, what, cure, tmp_path):
    for path, content in files.items():
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).write_bytes(content)
    with pytest.raises(WeightFileError) as error:
        open_weights(tmp_path / name)
    message = str(error.value)
    assert what in message
    assert cure in message
    assert "\n" not in message


@pytest.mark.spec("FMT-24")
@pytest.mark.usefixtures("scripts_here")
def test_weights_of_pytorch_beside_a_graph_are_read_as_such(tmp_path):
    (tmp_path / "m.xml").write_bytes(GRAPH)
    (tmp_path / "m.bin").write_bytes(b"\x80\x02]torch.")
    with pytest.raises(WeightFileError, match="pytorch"):
        open_weights(tmp_path / "m.bin")


def test_a_vocabulary_without_weights(tmp_path):
    (tmp_path / "m.gguf").write_bytes(b"GGUF" + struct.pack("<IQQ", 3, 0, 0))
    assert "it holds metadata and no tensors" in refused(gguf_files, tmp_path / "m.gguf", tmp_path)
