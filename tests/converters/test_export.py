"""What all converters share: arguments, selection, facts, files that are whole or not."""

import hashlib
import itertools
import json
import signal
import tracemalloc

import h5py
import ml_dtypes
import numpy as np
import pytest
from common.containers import read_at_most
from common.errors import ConversionError
from common.export import main
from common.facts import Facts
from common.source import Source, Tensor
from conversions import read

from htsr_ref.weights import open_weights

rng = np.random.default_rng(1)
OUT_IN = ("out", "in")
ARRAYS = {
    "fc": rng.standard_normal((4, 3)).astype(np.float32),
    "kernel": rng.standard_normal((3, 2, 4, 5)),
    "half": rng.standard_normal((6, 2)).astype(np.float16),
    "brain": rng.standard_normal((3, 3)).astype(ml_dtypes.bfloat16),
    "e4": np.arange(256, dtype=np.uint8).reshape(16, 16).view(ml_dtypes.float8_e4m3fn),
    "e5": np.arange(256, dtype=np.uint8).reshape(16, 16).view(ml_dtypes.float8_e5m2),
    "codes": rng.integers(-9, 9, (4, 2), dtype=np.int8),
    "scale": rng.random(4).astype(np.float32),
    "bias": rng.standard_normal(4).astype(">f4"),
    "scalar": np.float64(3.5),
    "nothing": np.zeros((0, 3), np.float32),
}
KERNEL = ("k1", "k2", "in", "out")
FACTS = {
    "kernel": Facts("weight", "a kernel", KERNEL),
    "codes": Facts(
        "weight", "int8", OUT_IN, quantization={"scale": {"tensor": "scale"}, "axis": 0}
    ),
    "tied": Facts("embedding", "the same", OUT_IN, layer="table"),
}


def tensor(name, array, same_as=None):
    array = np.asarray(array)
    is_exotic = array.dtype.name.startswith(("bfloat", "float8"))
    codes = array.view(f"u{array.dtype.itemsize}") if is_exotic else array
    facts = FACTS.get(name, Facts())
    return Tensor(name, array.shape, array.dtype.name, lambda: codes, facts, same_as)


TENSORS = [*itertools.starmap(tensor, ARRAYS.items()), tensor("tied", ARRAYS["fc"], "fc")]


@pytest.fixture
def export(tmp_path, capsys):
    """Run a converter of tensors in memory; returns exit code, stdout and stderr."""
    source = tmp_path / "source.bin"
    source.write_bytes(b"weights")

    def run(*arguments, tensors=TENSORS, **facts):
        def open_source(path, _):
            return Source("memory", path.name, tensors, [path], **facts)

        code = main(open_source, "Convert.", argv=[str(source), *map(str, arguments)])
        return code, *capsys.readouterr()

    return run


def test_the_file_is_read_by_htsr_as_it_was_meant(export, tmp_path):
    output = tmp_path / "out.safetensors"
    assert export("-o", output)[0] == 0
    weights = open_weights(output)
    layers = {layer.tensor: layer for layer in weights.layers}
    assert list(layers) == [*ARRAYS, "tied"]
    for name in ("fc", "half", "brain", "e4", "e5", "bias", "scalar"):
        wanted = np.asarray(ARRAYS[name]).astype(np.float64)
        np.testing.assert_array_equal(layers[name].data[...], wanted, err_msg=name)
    np.testing.assert_array_equal(
        layers["kernel"].data[...], ARRAYS["kernel"].transpose(3, 2, 0, 1)
    )
    scaled = ARRAYS["codes"].astype(float) * ARRAYS["scale"].astype(float)[:, None]
    np.testing.assert_array_equal(layers["codes"].data[...], scaled)
    assert layers["kernel"].decided == "stated: a kernel"
    assert layers["fc"].decided == "inferred: 2 axes (out, in)"
    assert layers["scale"].role == "scale"
    assert layers["tied"].name == "table"
    assert layers["tied"].same_as == "fc"
    assert weights.source == {
        "framework": "memory",
        "converter": "test_export.py 2",
        "file": "source.bin",
        "sha256": hashlib.sha256(b"weights").hexdigest(),
    }


@pytest.mark.usefixtures("scripts_here")
def test_hdf5_holds_the_same(export, tmp_path):
    plain = [t for t in TENSORS if t.name not in ("brain", "e4", "e5")]
    assert export("-o", tmp_path / "a.h5", tensors=plain)[0] == 0
    assert export("-o", tmp_path / "a.safetensors", tensors=plain)[0] == 0
    ours, others = (open_weights(tmp_path / f"a.{end}") for end in ("h5", "safetensors"))
    assert ours.format == "hdf5"
    assert ours.source == others.source
    for one, other in zip(ours.layers, others.layers, strict=True):
        assert (one.name, one.role, one.shape, one.dtype, one.decided) == (
            (other.name, other.role, other.shape, other.dtype, other.decided)
        )
        np.testing.assert_array_equal(one.data[...], other.data[...])


@pytest.mark.parametrize(("name", "cure"), [("brain", "--dtype float32"), ("a//b", "safetensors")])
def test_what_hdf5_cannot_hold(export, tmp_path, name, cure):
    tensors = [tensor(name, ARRAYS.get(name, ARRAYS["fc"]))]
    code, _, err = export("-o", tmp_path / "out", "--format", "hdf5", tensors=tensors)
    assert code == 2
    assert cure in err
    assert not (tmp_path / "out").exists()


def test_hdf5_of_large_and_scalar_tensors(export, tmp_path, monkeypatch):
    monkeypatch.setattr("common.writing.BLOCK", 64)
    output = tmp_path / "out.h5"
    assert export("-o", output, "--dtype", "float32")[0] == 0
    with h5py.File(output) as file:
        np.testing.assert_array_equal(file["kernel"][...], ARRAYS["kernel"].astype(np.float32))
        assert file["scalar"][()] == np.float32(3.5)


def test_everything_as_float32(export, tmp_path):
    output = tmp_path / "out.safetensors"
    assert export("-o", output, "--dtype", "float32")[0] == 0
    weights = read(output)
    for name in ("fc", "half", "brain", "e4", "e5", "scalar"):
        wanted = np.asarray(ARRAYS[name]).astype(np.float32)
        assert weights.dtypes[name] == "float32"
        np.testing.assert_array_equal(weights.arrays[name], wanted, err_msg=name)
    assert weights.dtypes["codes"] == "int8"


def test_the_same_input_gives_the_same_bytes(export, tmp_path):
    for name in ("a.safetensors", "b.safetensors", "a.h5", "b.h5"):
        plain = [t for t in TENSORS if t.name not in ("brain", "e4", "e5")]
        assert export("-o", tmp_path / name, tensors=plain)[0] == 0
    for end in ("safetensors", "h5"):
        assert (tmp_path / f"a.{end}").read_bytes() == (tmp_path / f"b.{end}").read_bytes()


def test_small_blocks_give_the_same_bytes(export, tmp_path, monkeypatch):
    assert export("-o", tmp_path / "a")[0] == 0
    monkeypatch.setattr("common.writing.BLOCK", 16)
    assert export("-o", tmp_path / "b")[0] == 0
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


@pytest.mark.parametrize("limit", [1, 100, 500, "5GB"])
def test_shards(export, tmp_path, limit):
    folder, single = tmp_path / "folder", tmp_path / "single"
    assert export("-o", folder, "--max-shard-size", limit)[0] == 0
    assert export("-o", single)[0] == 0
    ours, others = open_weights(folder), open_weights(single)
    assert ours.source == others.source
    assert not ours.warnings
    named = {layer.tensor: layer for layer in ours.layers}
    assert named.keys() == {layer.tensor for layer in others.layers}
    for other in others.layers:
        assert named[other.tensor].decided == other.decided
        np.testing.assert_array_equal(named[other.tensor].data[...], other.data[...])
    shards = sorted(folder.glob("*.safetensors"))
    for shard in shards:
        weights = read(shard)
        size = sum(array.nbytes for array in weights.arrays.values())
        assert len(weights.arrays) == 1 or limit == "5GB" or size <= int(limit)
    assert len(shards) == {1: len(ARRAYS), "5GB": 1}.get(limit, len(shards))


@pytest.mark.parametrize(
    ("arguments", "kept"),
    [
        (["--include", "f*"], {"fc"}),
        (["--include", "fc", "--include", "tied"], {"fc", "tied"}),
        (["--exclude", "[!t]*"], {"tied"}),
        (["--include", "codes"], {"codes", "scale"}),
        (["--include", "*c*", "--exclude", "s*"], {"fc", "codes", "scale"}),
    ],
)
def test_include_and_exclude(export, tmp_path, arguments, kept):
    output = tmp_path / "out"
    assert export("-o", output, *arguments)[0] == 0
    assert read(output).entries.keys() == kept
    assert {layer.tensor for layer in open_weights(output).layers} == kept


def test_a_tie_to_what_is_left_out_is_renewed(export, tmp_path):
    output = tmp_path / "out"
    tensors = [*TENSORS, tensor("again", ARRAYS["fc"], "fc")]
    assert export("-o", output, "--exclude", "fc", tensors=tensors)[0] == 0
    weights = read(output)
    assert "same_as" not in weights.entries["tied"]
    assert weights.entries["again"]["same_as"] == "tied"
    np.testing.assert_array_equal(weights.arrays["tied"], ARRAYS["fc"])


def test_a_dry_run_reads_and_writes_nothing(export, tmp_path):
    def fail():
        raise AssertionError("it was read")

    tensors = [Tensor("a\x1b[2J", (3, 2, 4, 5), "float32", fail, FACTS["kernel"])]
    before = list(tmp_path.iterdir())
    code, out, err = export("--dry-run", tensors=tensors, dropped={"optimizer state": 3})
    assert code == 0
    assert list(tmp_path.iterdir()) == before
    stated = "weight; (k1, k2, in, out); a kernel"
    assert out.splitlines()[1].split(maxsplit=3) == (["'a\\x1b[2J'", "3x2x4x5", "float32", stated])
    assert err == "left out: 3 x optimizer state\n"


def failing(error):
    def read():
        raise error

    return [Tensor("w", (2, 2), "float32", read)]


GOOD = ARRAYS["fc"]
WRONG = {
    "no tensors": ([], "no tensor is left"),
    "twice": ([tensor("w", GOOD), tensor("w", GOOD)], "the same name"),
    "reserved name": ([tensor("__metadata__", GOOD)], "cannot hold this name"),
    "half a surrogate": ([tensor("\ud800", GOOD)], "not Unicode"),
    "type": ([tensor("w", np.ones((2, 2), complex))], "numbers of type complex128"),
    "error in reading": (failing(ConversionError("bad", "Mend it")), "tensor 'w': bad. Mend it."),
    "no memory": (failing(MemoryError()), "there is not enough memory"),
    "disk error": (failing(OSError(5, "Input/output error")), "Input/output error"),
    "another shape": (
        [Tensor("w", (9, 9), "float32", lambda: GOOD)],
        "12 numbers of type float32 were read, not 81",
    ),
    "lines": (failing(ConversionError("a\nb\x1b[0m", "c")), "a?b?[0m"),
}


@pytest.mark.parametrize("name", WRONG)
@pytest.mark.parametrize("how", [[], ["--max-shard-size", "10"], ["--format", "hdf5"]])
def test_errors_are_one_line_and_leave_nothing(export, tmp_path, name, how):
    tensors, problem = WRONG[name]
    before = list(tmp_path.iterdir())
    code, out, err = export("-o", tmp_path / "out", *how, tensors=tensors)
    assert code == 2
    assert out == ""
    assert err.startswith("error: ")
    assert err.count("\n") == 1
    assert problem in err
    assert list(tmp_path.iterdir()) == before


def test_an_old_file_stays_until_the_new_one_is_whole(export, tmp_path):
    output = tmp_path / "out"
    output.write_bytes(b"old")
    assert export("-o", output, tensors=failing(OSError(5, "x")))[0] == 2
    assert output.read_bytes() == b"old"
    assert export("-o", output)[0] == 0
    assert read(output).arrays


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["-o", "{}/source.bin"], "it is the input"),
        (["-o", "{}/no/where"], "its folder does not exist"),
        (["-o", "{}"], "it is a folder"),
        (["-o", "{}", "--max-shard-size", "1GB"], "it exists"),
        (["-o", "{}/x.h5", "--max-shard-size", "1GB"], "HDF5 files are not sharded"),
    ],
)
def test_outputs(export, tmp_path, arguments, problem):
    code, _, err = export(*(argument.format(tmp_path) for argument in arguments))
    assert code == 2
    assert problem in err
    assert (tmp_path / "source.bin").read_bytes() == b"weights"


@pytest.mark.parametrize("arguments", [[], ["-o", "x", "--max-shard-size", "5TB"]])
def test_arguments(export, arguments):
    with pytest.raises(SystemExit) as caught:
        export(*arguments)
    assert caught.value.code == 2


def test_a_missing_input(capsys):
    assert main(lambda *_: None, "Convert.", argv=["nothing.bin", "--dry-run"]) == 2
    assert capsys.readouterr().err == (
        "error: nothing.bin: there is no such file. Check the path.\n"
    )


def test_several_files_have_one_digest(export, tmp_path):
    for name in "ab":
        (tmp_path / name).write_bytes(name.encode())
    output = tmp_path / "out"

    def open_source(path, _):
        return Source("memory", path.name, TENSORS, [tmp_path / "b", tmp_path / "a"])

    assert main(open_source, "Convert.", argv=[str(tmp_path), "-o", str(output)]) == 0
    digests = [hashlib.sha256(name).hexdigest() for name in (b"a", b"b")]
    wanted = hashlib.sha256("".join(digests).encode()).hexdigest()
    assert read(output).manifest["source"]["sha256"] == wanted


def test_left_out_and_notes_are_in_the_manifest(export, tmp_path):
    output = tmp_path / "out"
    _, _, err = export("-o", output, dropped={"optimizer state": 2}, notes=["a note"])
    assert json.loads(json.dumps(read(output).manifest["extra"])) == {
        "left_out": {"optimizer state": 2},
        "notes": ["a note"],
    }
    assert err.endswith("note: a note\n")


def test_every_fact_is_in_the_manifest(export, tmp_path):
    facts = Facts(
        "weight",
        "what states it",
        ("out", "in", "out", "k1"),
        view=(2, 2, 3, 7),
        groups=2,
        layer="up",
        layer_class="conv_transpose",
        config={"groups": 2},
    )
    array = np.arange(84.0).reshape(4, 3, 7)
    tensors = [
        Tensor("up.weight", array.shape, "float64", lambda: array, facts),
        Tensor("qkv", (4, 3), "float32", lambda: GOOD, Facts("weight", None, OUT_IN, parts=QKV)),
    ]
    assert export("-o", tmp_path / "out", tensors=tensors, config={"heads": 2})[0] == 0
    manifest = read(tmp_path / "out").manifest
    assert manifest["config"] == {"heads": 2}
    assert manifest["tensors"] == {
        "up.weight": {
            "role": "weight",
            "axes": ["out", "in", "out", "k1"],
            "view": [2, 2, 3, 7],
            "groups": 2,
            "layer": "up",
            "class": "conv_transpose",
            "config": {"groups": 2},
            "rule": "what states it",
        },
        "qkv": {
            "role": "weight",
            "axes": ["out", "in"],
            "parts": [{"name": "q", "size": 3}, {"name": "k", "size": 1}],
        },
    }
    up, qkv = open_weights(tmp_path / "out").layers
    assert (up.name, up.groups, up.is_transposed) == ("up", 2, True)
    np.testing.assert_array_equal(
        up.data[...], array.reshape(2, 2, 3, 7).transpose(0, 2, 1, 3).reshape(6, 2, 7)
    )
    assert [(part.name, part.size) for part in qkv.parts] == list(QKV)


QKV = (("q", 3), ("k", 1))
SCALES = {"scale": [0.5, 0.25], "axis": 0}


@pytest.mark.parametrize(
    ("facts", "shape", "problem"),
    [
        (Facts("weight", "r", OUT_IN), (3,), "its axes do not fit the shape (3,)"),
        (Facts("weight", "r", OUT_IN, view=(2, 3)), (4, 2), "its axes do not fit the shape (4, 2)"),
        (Facts("weight", "r", OUT_IN, parts=QKV), (3, 2), "do not cut its outputs"),
        (Facts("weight", "r", KERNEL[::-1], groups=3), (4, 2, 1, 1), "do not cut its outputs"),
        (Facts("weight", "r", OUT_IN, quantization=SCALES), (3, 2), "its scales do not fit"),
        (Facts(quantization=SCALES | {"axis": 2}), (2, 2), "its scales do not fit"),
    ],
)
def test_facts_that_do_not_fit_are_not_handed_on(export, tmp_path, facts, shape, problem):
    tensors = [Tensor("w", shape, "float32", lambda: np.zeros(shape, np.float32), facts)]
    assert export("-o", tmp_path / "out", tensors=tensors)[0] == 0
    (layer,) = open_weights(tmp_path / "out").layers
    assert layer.role == "unknown"
    assert problem in layer.decided


def test_types_that_cannot_be_written_are_counted(export, tmp_path):
    tensors = [tensor("fc", GOOD), tensor("wave", np.ones((2, 2), complex))]
    _, _, err = export("-o", tmp_path / "out", tensors=tensors)
    assert err == "left out: 1 x tensor with numbers of type complex128, which cannot be written\n"
    assert read(tmp_path / "out").entries.keys() == {"fc"}


def test_what_is_packed_is_written_and_left_out_with_its_reason(export, tmp_path):
    tensors = [Tensor("w", (4, 3), "float32", lambda: GOOD, Facts("packed", "it is packed"))]
    assert export("-o", tmp_path / "out", tensors=tensors)[0] == 0
    (layer,) = open_weights(tmp_path / "out").layers
    assert (layer.left_out, layer.code) == ("it is packed", "not-understood")
    np.testing.assert_array_equal(layer.data[...], GOOD)


def test_no_more_memory_is_asked_for_than_a_file_has_bytes(tmp_path):
    path = tmp_path / "short"
    path.write_bytes(b"0123456789")
    tracemalloc.start()
    try:
        assert read_at_most(path, 2**28) == b"0123456789"
        assert read_at_most(path, 3, 4) == b"456"
        assert read_at_most(path, 3, 99) == b""
        assert tracemalloc.get_traced_memory()[1] < 2**20
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interruption_leaves_nothing(number, export, tmp_path):
    def read():
        signal.raise_signal(number)
        return np.zeros((4, 3))

    tensors = [Tensor("fc", (4, 3), "float64", read)]
    before = signal.getsignal(signal.SIGTERM)
    # A shell starts what runs in the background with interruptions ignored.
    inherited = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        code, out, err = export("-o", tmp_path / "out.safetensors", tensors=tensors)
    finally:
        signal.signal(signal.SIGINT, inherited)
    assert (code, out, err) == (130, "", "interrupted: nothing was written\n")
    assert [path.name for path in tmp_path.iterdir()] == ["source.bin"]
    assert signal.getsignal(signal.SIGTERM) == before
