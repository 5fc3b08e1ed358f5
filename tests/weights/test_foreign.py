"""FMT-24 to FMT-26: frameworks' own files are read through the scripts of converters/."""

import gc
import importlib
import os
import tempfile
import zipfile
from collections import Counter
from itertools import chain, repeat
from pathlib import Path

import numpy as np
import pytest
from conversions import CONVERTERS, FIXTURES, SAME, convert, expected, fixtures

from htsr_ref import analyze
from htsr_ref.errors import ChangedWeightsError, LayerError, WeightFileError
from htsr_ref.weights import open_weights
from htsr_ref.weights.foreign import copies, kinds, running
from htsr_ref.weights.foreign.kinds import foreign_of_head

DIRECT = ("huggingface", "numpy.npz")
FOREIGN = {
    framework: FIXTURES / "same" / name
    for framework, name in SAME.items()
    if framework not in ("huggingface", "numpy")
}
FORMATS = {
    "numpy": ("matlab", "scikit-learn", "npz", "npy"),
    "tensorflowjs": ("keras", "tensorflow"),
}
WRITTEN = [
    pytest.param(framework, path, id=f"{framework}-{path.name}", marks=marks)
    for framework in CONVERTERS
    if framework != "huggingface"
    for path, marks in zip(
        [path for path in fixtures(framework) if path.suffix not in (".npy", ".npz")],
        chain([()], repeat(pytest.mark.slow)),
        strict=False,
    )
]
"""Files that frameworks wrote, and the arrays that they say they hold; of each one is fast."""


@pytest.fixture
def temporary(tmp_path, monkeypatch) -> Path:
    """The folder of temporary files, for this test alone."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


def checkpoint_of(framework, path):
    """What is given to `htsr`: the TensorFlow fixtures are folders of several checkpoints."""
    if framework == "tensorflow" and path.is_dir():
        indices = sorted(path.glob("*.index"))
        return indices[0] if len(indices) == 1 else path
    return path


@pytest.mark.spec("FMT-24")
@pytest.mark.parametrize(("framework", "path"), WRITTEN)
def test_what_the_framework_wrote_is_read(framework, path, temporary):
    weights = open_weights(checkpoint_of(framework, path))
    assert weights.format in FORMATS.get(framework, (framework,))
    # A weight under spectral norm is computed: tests/weights/derived holds its numbers.
    computed = {layer.tensor for layer in weights.layers if "spectral norm" in layer.decided}
    stored = [layer for layer in weights.layers if layer.tensor not in computed]
    found = Counter(_summary(layer.data.codes()) for layer in stored)
    wanted = [array for name, array in expected(path).items() if name not in computed]
    assert found == Counter(map(_summary, wanted))
    assert list(temporary.iterdir()) == []


def _summary(array):
    """Type and numbers of an array in whatever order of axes; names may be the file's own."""
    return array.dtype.name, bytes(np.sort(array.ravel(), kind="stable").tobytes())


@pytest.mark.spec("FMT-24")
@pytest.mark.parametrize("framework", FOREIGN)
@pytest.mark.usefixtures("scripts_here")
def test_the_report_is_that_of_the_converted_file(framework, tmp_path):
    path = FOREIGN[framework]
    output = tmp_path / "x.safetensors"
    script = importlib.import_module(CONVERTERS[framework])
    assert convert(script, path, "-o", output).code == 0
    direct, converted = analyze(path), analyze(output)
    assert direct.layers == converted.layers
    assert direct.model == converted.model
    assert direct.source.name == path.name
    assert direct.source.format in FORMATS.get(framework, (framework,))
    assert direct.source.sha256 == converted.source.origin["sha256"]


@pytest.mark.spec("FMT-24")
@pytest.mark.parametrize("name", ["deflated.npz", "single.npy", "stored.npz"])
@pytest.mark.usefixtures("scripts_here")
def test_arrays_of_numpy_are_read_alike_both_ways(name, tmp_path):
    path = FIXTURES / "numpy" / name
    output = tmp_path / "x.safetensors"
    assert convert(importlib.import_module("numpy_files"), path, "-o", output).code == 0
    direct, converted = analyze(path), analyze(output)
    found = {layer.tensor: layer for layer in direct.layers}
    for layer in converted.layers:
        assert layer == found[layer.tensor]
    assert direct.model == converted.model


@pytest.mark.spec("FMT-24")
@pytest.mark.parametrize("framework", FOREIGN)
@pytest.mark.usefixtures("scripts_here")
def test_the_name_does_not_matter_where_the_content_tells(framework, tmp_path):
    path = FOREIGN[framework]
    if path.suffix in (".index", ".pdparams", ".json"):
        pytest.skip("its content does not tell, or other files belong to it")
    renamed = tmp_path / "weights"
    renamed.write_bytes(path.read_bytes())
    assert open_weights(renamed).format == framework


@pytest.mark.spec("FMT-24")
@pytest.mark.parametrize(
    ("name", "head", "script"),
    [
        ("x.bin", b"\x08\x09\x12\x07pytorch", "onnx_files.py"),
        ("x.onnx", b"\x42\x02\x10\x11", "onnx_files.py"),
        ("x.bin", b"\x81\xa6params\x80", "jax_files.py"),
        ("x.msgpack", b"\x80", "jax_files.py"),
        ("x.index", b"\0\0\x06\x08", "tensorflow_files.py"),
        ("x.pdiparams", bytes(16), "paddle_files.py"),
        ("x.bin", b"storages\0" + bytes(503), "pytorch.py"),
        ("x.bin", b"what might this be", None),
        ("x.bin", b"\x08\xff\xff", None),
    ],
)
def test_what_has_no_signature_is_told_by_its_structure_or_name(tmp_path, name, head, script):
    found = foreign_of_head(tmp_path / name, head)
    assert (None if found is None else found.script) == script


@pytest.mark.spec("FMT-24")
@pytest.mark.parametrize("before", range(12))
def test_the_name_of_the_maker_is_found_wherever_it_is(tmp_path, monkeypatch, before):
    monkeypatch.setattr(kinds, "_BLOCK", 4)
    path = tmp_path / "x.bin"
    for name, found in ((b"torch", kinds.PICKLE), (b"torc", kinds.ARRAYS)):
        content = b"\x80\x02" + bytes(before) + name
        path.write_bytes(content)
        assert foreign_of_head(path, content) == found


@pytest.mark.spec("FMT-24")
def test_safetensors_in_a_folder_go_before(tmp_path):
    source = FIXTURES / "huggingface" / "gpt2"
    for path in source.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    (tmp_path / "model.ckpt.index").write_bytes(b"x")
    assert open_weights(tmp_path).format == "safetensors"


@pytest.mark.spec("FMT-24")
def test_a_configuration_beside_a_pytorch_file_is_read(tmp_path):
    torch = pytest.importorskip("ml_dtypes") and FIXTURES / "pytorch" / "convnet.pt"
    (tmp_path / "pytorch_model.bin").write_bytes(torch.read_bytes())
    (tmp_path / "config.json").write_text('{"hidden_size": 99991}')
    with pytest.raises(WeightFileError, match="hidden_size is 99991"):
        open_weights(tmp_path / "pytorch_model.bin")


@pytest.mark.spec("FMT-26")
@pytest.mark.skipif(os.name != "posix", reason="files without a name need POSIX")
def test_nothing_is_left_while_the_numbers_are_read(temporary):
    layers = open_weights(FOREIGN["jax"]).layers
    gc.collect(1)  # what this test made is young
    assert list(temporary.iterdir()) == []
    assert all(np.isfinite(layer.data[...]).all() for layer in layers)
    again = [layer.data.load()[...] for layer in layers]
    for layer, values in zip(layers, again, strict=True):
        np.testing.assert_array_equal(layer.data[...], values)


@pytest.mark.spec("FMT-26")
@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="counts open files")
@pytest.mark.usefixtures("scripts_here")
def test_the_file_is_closed_with_its_last_reader():
    def held():
        gc.collect(1)
        return len(list(Path("/proc/self/fd").iterdir()))

    before = held()
    layer = open_weights(FOREIGN["jax"]).layers[0]
    assert held() > before
    del layer
    assert held() == before


@pytest.mark.spec("FMT-27")
@pytest.mark.parametrize(("framework", "path"), WRITTEN)
@pytest.mark.usefixtures("scripts_here")
def test_numbers_that_are_not_copied_are_those_that_would_be(framework, path, tmp_path):
    path = checkpoint_of(framework, path)
    output = tmp_path / "x.safetensors"
    assert convert(importlib.import_module(CONVERTERS[framework]), path, "-o", output).code == 0
    direct, copied = open_weights(path), open_weights(output)
    assert [layer.tensor for layer in direct.layers] == [layer.tensor for layer in copied.layers]
    for one, other in zip(direct.layers, copied.layers, strict=True):
        assert one.dtype == other.dtype
        if one.data.is_readable:
            np.testing.assert_array_equal(one.data.codes(), other.data.codes())


@pytest.mark.spec("FMT-27")
@pytest.mark.parametrize("framework", ["pytorch", "tensorflow", "tflite", "onnx"])
@pytest.mark.usefixtures("scripts_here")
def test_what_lies_in_the_file_is_not_copied(framework, monkeypatch):
    written = []
    read = copies.read_safetensors
    monkeypatch.setattr(copies, "read_safetensors", lambda path: written.append(path) or read(path))
    weights = open_weights(FOREIGN[framework])
    assert sum(layer.data.codes().nbytes for layer in weights.layers) > 10_000
    assert written == []


@pytest.mark.spec("FMT-27")
@pytest.mark.parametrize("framework", FOREIGN)
@pytest.mark.usefixtures("scripts_here")
def test_facts_are_had_without_a_file(framework, tmp_path, monkeypatch):
    """Numbers that must be converted are so when they are asked for."""
    path = FOREIGN[framework]
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "missing"))
    found = open_weights(path, facts_first=True)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    wanted = open_weights(path)
    for one, other in zip(found.layers, wanted.layers, strict=True):
        assert (one.name, one.shape, one.dtype) == (other.name, other.shape, other.dtype)
        np.testing.assert_array_equal(one.data.codes(), other.data.codes())
    assert list(tmp_path.iterdir()) == []


@pytest.mark.spec("FMT-11", "FMT-27")
@pytest.mark.usefixtures("scripts_here")
def test_a_changed_byte_is_found_when_it_is_read(tmp_path):
    path = tmp_path / "model.pt"
    content = bytearray(FOREIGN["pytorch"].read_bytes())
    member = next(
        info
        for info in zipfile.ZipFile(FOREIGN["pytorch"]).infolist()
        if "/data/" in info.filename and info.file_size > 1000
    )
    content[member.header_offset + 500] ^= 1
    path.write_bytes(content)
    layers = open_weights(path).layers
    bad = []
    for layer in layers:
        try:
            layer.data.codes()
        except LayerError as error:
            bad.append(str(error))
    assert len(bad) == 1
    assert "Bad CRC-32" in bad[0]


@pytest.mark.spec("FMT-27")
@pytest.mark.usefixtures("scripts_here")
def test_what_was_converted_is_kept_on_request(tmp_path):
    kept = tmp_path / "kept.safetensors"
    direct = open_weights(FOREIGN["jax"], keep_converted=kept)
    for one, other in zip(direct.layers, open_weights(kept).layers, strict=True):
        assert one.tensor == other.tensor
        np.testing.assert_array_equal(one.data.codes(), other.data.codes())
    with pytest.raises(WeightFileError, match=r"no script converts it.*Leave out --keep-converted"):
        open_weights(kept, keep_converted=tmp_path / "again.safetensors")
    assert list(tmp_path.iterdir()) == [kept]


@pytest.mark.spec("FMT-27", "FMT-13")
@pytest.mark.usefixtures("scripts_here")
def test_a_file_that_changes_is_noticed(tmp_path):
    path = tmp_path / "model.pt"
    path.write_bytes(FOREIGN["pytorch"].read_bytes())
    layer = open_weights(path).layers[0]
    assert layer.data[...].size
    path.write_bytes(path.read_bytes() + b"x")
    with pytest.raises(ChangedWeightsError, match="has changed"):
        layer.data[...]


DAMAGED = {
    "pytorch": b"\x80\x02}q\x00cos\nsystem\n",
    "gguf": b"GGUF\x03\x00\x00\x00" + b"\xff" * 40,
    "tflite": b"\x1c\x00\x00\x00TFL3" + b"\xff" * 40,
    "onnx": b"\x08\x09\x12\xff\xff\xff\xff\xff\xff\x07",
    "msgpack": b"\x81\xa6params\xdf\xff\xff\xff\xff",
    "matlab": b"MATLAB 5.0 MAT-file".ljust(126) + b"IM" + b"\xff" * 20,
}


@pytest.mark.spec("FMT-25", "FMT-26")
@pytest.mark.parametrize("kind", DAMAGED)
def test_a_damaged_file_is_refused_in_one_line(kind, tmp_path, temporary):
    path = tmp_path / "model"
    path.write_bytes(DAMAGED[kind])
    with pytest.raises(WeightFileError, match=r"it is an? .*, and \w+\.py says: ") as caught:
        open_weights(path)
    assert str(caught.value).startswith(str(path))
    assert "\n" not in str(caught.value)
    assert caught.value.cure
    assert list(temporary.iterdir()) == []


@pytest.mark.spec("FMT-25")
@pytest.mark.parametrize("framework", FOREIGN)
@pytest.mark.usefixtures("scripts_here")
def test_a_file_that_is_cut_off_is_refused(framework, tmp_path, temporary):
    path = FOREIGN[framework]
    content = path.read_bytes()
    cut = tmp_path / path.name
    cut.write_bytes(content[: len(content) * 3 // 5])
    with pytest.raises(WeightFileError) as caught:
        open_weights(cut)
    assert str(caught.value).count("\n") == 0
    assert list(temporary.iterdir()) == []


@pytest.fixture
def script(tmp_path, monkeypatch):
    """Put another script in the place of pytorch.py."""

    def replace(text):
        folder = tmp_path / "scripts"
        folder.mkdir()
        (folder / "pytorch.py").write_text(text)
        monkeypatch.setattr(running, "scripts_folder", lambda: folder)

    return replace


BAD_SCRIPTS = {
    "import time\ntime.sleep(60)": "came to no end within 1 s",
    "import os\nos.abort()": "failed with exit code -6",
    "raise KeyError('what')": "failed with exit code 1 .*KeyError",
    "bytes(1 << 40)": "MemoryError",
    "import sys\nopen(sys.argv[2], 'wb').write(bytes(1 << 20))": "File too large",
}


@pytest.mark.spec("FMT-25", "FMT-26")
@pytest.mark.skipif(os.name != "posix", reason="limits of memory and files need POSIX")
@pytest.mark.parametrize("text", BAD_SCRIPTS)
def test_a_script_has_limits(text, script, temporary, monkeypatch):
    script(text)
    monkeypatch.setattr(running, "SECONDS", 1.0 if "sleep" in text else 30.0)
    monkeypatch.setattr(running, "BYTES_PER_SECOND", 1e9)
    monkeypatch.setattr(running, "OUTPUT", 1000)
    monkeypatch.setattr(running, "OUTPUT_PER_BYTE", 0)
    with pytest.raises(WeightFileError, match=BAD_SCRIPTS[text]):
        open_weights(FOREIGN["pytorch"])
    assert list(temporary.iterdir()) == []


@pytest.mark.spec("FMT-25")
def test_a_missing_package_is_named(tmp_path, monkeypatch, temporary):
    (tmp_path / "tensorstore.py").write_text("raise ImportError('none')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with pytest.raises(WeightFileError, match=r"jax_files\.py says.*pip install tensorstore"):
        open_weights(FIXTURES / "jax" / "nnx")


@pytest.mark.spec("FMT-25")
def test_modules_of_the_working_folder_are_not_run(tmp_path, monkeypatch):
    for name in ("numpy", "common", "pickles", "json"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit('taken')")
    monkeypatch.chdir(tmp_path)
    assert open_weights(FOREIGN["pytorch"]).layers


@pytest.mark.spec("FMT-25")
@pytest.mark.parametrize("name", ["-o", "--help", "a b", "é\n"])
def test_names_are_no_options(name, tmp_path, monkeypatch):
    (tmp_path / name).write_bytes(FOREIGN["pytorch"].read_bytes())
    monkeypatch.chdir(tmp_path)
    assert open_weights(name).layers
