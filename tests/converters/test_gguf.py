"""GGUF files without llama.cpp: exact weights, and the values of quantized blocks."""

import struct

import gguf_files
import numpy as np
import pytest
from conversions import FIXTURES, assert_is_expected, convert, converted, fixtures, refused

FOLDER = FIXTURES / "gguf"


@pytest.mark.parametrize("path", fixtures("gguf"), ids=lambda path: path.name)
def test_every_number_is_what_gguf_says(path, tmp_path):
    assert_is_expected(converted(gguf_files, path, tmp_path), path)


def test_kinds_by_name(tmp_path):
    entries = converted(gguf_files, FOLDER / "llama.gguf", tmp_path).entries
    kinds = {name: entry["kind"] for name, entry in entries.items()}
    assert kinds.pop("token_embd.weight") == "embedding"
    assert kinds.pop("output_norm.weight") == kinds.pop("blk.0.attn_norm.weight") == "norm"
    assert set(kinds.values()) == {"linear"}


def test_fused_stacked_and_convolutional(tmp_path):
    entries = converted(gguf_files, FOLDER / "mixture.gguf", tmp_path).entries
    qkv = {part["name"]: part["size"] for part in entries["blk.0.attn_qkv.weight"]["parts"]}
    # 4 heads of 8 / 4 numbers, and 2 for keys and values.
    assert qkv == {"q": 8, "k": 4, "v": 4}
    for name in ("ffn_up_exps", "attn_k_b"):
        assert entries[f"blk.0.{name}.weight"]["axes"] == ["stack", "out", "in"]
    assert entries["blk.0.ssm_conv1d.weight"]["groups"] == 6
    assert entries["blk.0.ssm_a"]["kind"] == "other"
    assert entries["v.patch_embd.weight"]["axes"] == ["out", "in", "k1", "k2"]


def test_quantized_numbers_are_named(tmp_path):
    weights = converted(gguf_files, FOLDER / "quantized.gguf", tmp_path)
    assert weights.entries["Q4_K.weight"]["rule"].endswith(", from Q4_K")
    assert set(weights.dtypes.values()) == {"float32"}
    assert (
        "note: 1 tensors of type Q4_K become float32"
        in convert(gguf_files, FOLDER / "quantized.gguf", "--dry-run").err
    )


def test_a_block_by_hand(tmp_path):
    """Q8_0: a scale of 0.5, and the codes -16 to 15."""
    block = struct.pack("<e32b", 0.5, *range(-16, 16))
    path = tmp_path / "w.gguf"
    path.write_bytes(file([entry(shape=(32, 1), kind=8)], block))
    array = converted(gguf_files, path, tmp_path).arrays["w.weight"]
    assert array.tolist() == [[code / 2 for code in range(-16, 16)]]


def text(content: str) -> bytes:
    return struct.pack("<Q", len(content.encode())) + content.encode()


def entry(name="w.weight", shape=(2, 3), kind=0, offset=0) -> bytes:
    """A tensor, with the fastest axis first as in the file."""
    numbers = struct.pack(f"<I{len(shape)}QIQ", len(shape), *shape, kind, offset)
    return text(name) + numbers


def file(entries=(), data=b"", metadata=(), version=3) -> bytes:
    counts = struct.pack("<IQQ", version, len(entries), len(metadata))
    header = b"GGUF" + counts + b"".join(metadata) + b"".join(entries)
    return header + bytes(-len(header) % 32) + data


SIX = np.arange(6, dtype="<f4").tobytes()
ALIGNMENT = text("general.alignment") + struct.pack("<II", 4, 0)


def test_version_2_is_the_same(tmp_path):
    path = tmp_path / "w.gguf"
    path.write_bytes(file([entry()], SIX, version=2))
    assert converted(gguf_files, path, tmp_path).arrays["w.weight"].tolist() == [
        [0, 1],
        [2, 3],
        [4, 5],
    ]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"GGUF", "its header is damaged"),
        (file(version=1), "it has version 1"),
        (file(version=3 << 24), "its numbers are big-endian"),
        (file([entry()], SIX[:-1]), "its numbers end beyond the file"),
        (file([entry(shape=(2**62, 2**62))], SIX), "its numbers end beyond the file"),
        (file([entry(), entry("v.weight", offset=8)], SIX * 2), "overlaps with another tensor"),
        (file([entry(), entry()], SIX), "is there twice"),
        (file([entry(shape=(1, 1, 1, 2, 3))], SIX), "has 5 axes"),
        (file([entry(shape=(2, 3), kind=8)], SIX), "are not cut by blocks of 32"),
        (file([entry(kind=77)], SIX), "'w.weight': its type, number 77, is not supported"),
        (file([entry()], SIX, [ALIGNMENT]), "the alignment 0"),
        (file([], b"", [text("k") + struct.pack("<IIQ", 9, 8, 2**60)]), "it is cut off"),
        (file([], b"", [text("k") + struct.pack("<IIQ", 9, 4, 2**63)]), "it is cut off"),
        (file([], b"", [text("k") + struct.pack("<IIQIQ", 9, 9, 1, 9, 1)]), "no value of type 9"),
        (file([], b"", [text("k") + struct.pack("<I", 13)]), "no value of type 13"),
        (b"GGUF" + struct.pack("<IQQQ", 3, 2**63, 0, 2**63), "it is cut off"),
        (file(), "no tensor is left"),
        (b"PK\x03\x04", "it is a zip archive"),
    ],
)
def test_what_is_refused(content, reason, tmp_path):
    path = tmp_path / "bad.gguf"
    path.write_bytes(content)
    assert reason in refused(gguf_files, path, tmp_path)


def test_an_unknown_type_can_be_left_out(tmp_path):
    path = FOLDER / "refused.gguf"
    assert "'a.weight': its type, IQ4_NL, is not supported" in refused(gguf_files, path, tmp_path)
    weights = converted(gguf_files, path, tmp_path, "--exclude", "a.*")
    assert list(weights.entries) == ["b.weight"]
