"""GGUF files without llama.cpp: exact weights, and the values of quantized blocks."""

import shutil
import struct

import gguf_files
import numpy as np
import pytest
from conversions import FIXTURES, assert_is_expected, converted, fixtures, parts, refused

FOLDER = FIXTURES / "gguf"


@pytest.mark.parametrize("path", fixtures("gguf"), ids=lambda path: path.name)
def test_every_number_is_what_gguf_says(path, tmp_path):
    assert_is_expected(converted(gguf_files, path, tmp_path), path)


def test_roles_by_name(tmp_path):
    layers = converted(gguf_files, FOLDER / "llama.gguf", tmp_path).layers
    roles = {name: layer.role for name, layer in layers.items()}
    assert roles.pop("token_embd.weight") == "embedding"
    assert roles.pop("output_norm.weight") == roles.pop("blk.0.attn_norm.weight") == "norm"
    assert set(roles.values()) == {"weight"}


def test_the_metadata_are_handed_on(tmp_path):
    manifest = converted(gguf_files, FOLDER / "mixture.gguf", tmp_path).manifest
    config = manifest["config"]
    assert config[f"{config['general.architecture']}.attention.head_count"] == 4
    assert not any(manifest["tensors"].values())


def test_fused_stacked_and_convolutional(tmp_path):
    layers = converted(gguf_files, FOLDER / "mixture.gguf", tmp_path).layers
    # 4 heads of 8 / 4 numbers, and 2 for keys and values.
    assert parts(layers["blk.0.attn_qkv.weight"]) == {"q": 8, "k": 4, "v": 4}
    for name in ("ffn_up_exps", "attn_k_b"):
        assert layers[f"blk.0.{name}.weight"].axes == ("stack", "out", "in")
    assert layers["blk.0.ssm_conv1d.weight"].groups == 6
    assert layers["blk.0.ssm_a"].role == "buffer"
    assert layers["v.patch_embd.weight"].axes == ("out", "in", "k1", "k2")


def test_quantized_numbers_are_named(tmp_path):
    weights = converted(gguf_files, FOLDER / "quantized.gguf", tmp_path)
    assert set(weights.dtypes.values()) == {"float32"}
    assert "1 tensors of type Q4_K become float32" in weights.manifest["extra"]["notes"]


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
        (file([entry(), entry()], SIX), "appears twice"),
        (file([entry(shape=(1, 1, 1, 2, 3))], SIX), "has 5 axes"),
        (file([entry(shape=(2, 3), kind=8)], SIX), "are not cut by blocks of 32"),
        (file([entry(kind=77)], SIX), "left out: 1 x tensor of type number 77, which is not read"),
        (file([entry()], SIX, [ALIGNMENT]), "the alignment 0"),
        (file([], b"", [text("k") + struct.pack("<IIQ", 9, 8, 2**60)]), "it is cut off"),
        (file([], b"", [text("k") + struct.pack("<IIQ", 9, 4, 2**63)]), "it is cut off"),
        (file([], b"", [text("k") + struct.pack("<IIQIQ", 9, 9, 1, 9, 1)]), "no value of type 9"),
        (file([], b"", [text("k") + struct.pack("<I", 13)]), "no value of type 13"),
        (b"GGUF" + struct.pack("<IQQQ", 3, 2**63, 0, 2**63), "it is cut off"),
        (file(), "it holds metadata and no tensors"),
        (b"PK\x03\x04", "it is a zip archive"),
    ],
)
def test_what_is_refused(content, reason, tmp_path):
    path = tmp_path / "bad.gguf"
    path.write_bytes(content)
    assert reason in refused(gguf_files, path, tmp_path)


def test_an_unknown_type_is_left_out_and_counted(tmp_path):
    weights = converted(gguf_files, FOLDER / "refused.gguf", tmp_path)
    assert list(weights.entries) == ["b.weight"]
    counts = {"tensor of type Q8_K, which is not read": 1}
    assert weights.manifest["extra"]["left_out"] == counts


PARTS = ["parts-00001-of-00003.gguf", "parts-00002-of-00003.gguf", "parts-00003-of-00003.gguf"]


def some_parts(folder, *names):
    for name in names:
        shutil.copy(FOLDER / name, folder)
    return folder / names[0]


def test_all_parts_are_read_from_the_first(tmp_path):
    weights = converted(gguf_files, some_parts(tmp_path, *PARTS), tmp_path)
    assert sorted(weights.entries) == [f"{name}.weight" for name in "abcde"]


def test_a_first_part_alone_is_not_the_model(tmp_path):
    path = some_parts(tmp_path, PARTS[0])
    error = refused(gguf_files, path, tmp_path)
    assert f"it is part 1 of 3, and without {PARTS[1]}, {PARTS[2]} it is not the model" in error


def test_another_part_names_the_first(tmp_path):
    error = refused(gguf_files, some_parts(tmp_path, PARTS[1], PARTS[0]), tmp_path)
    assert f"the rest of which is in {PARTS[0]}, {PARTS[2]}. Name the first part, " in error


def test_a_part_of_another_name(tmp_path):
    path = some_parts(tmp_path, PARTS[0]).rename(tmp_path / "model.gguf")
    assert "its name does not tell those of the others" in refused(gguf_files, path, tmp_path)


def test_a_part_that_belongs_elsewhere(tmp_path):
    path = some_parts(tmp_path, *PARTS[:2])
    shutil.copy(FOLDER / PARTS[1], tmp_path / PARTS[2])
    assert f"{PARTS[2]}: it is not part 3 of 3" in refused(gguf_files, path, tmp_path)
    (tmp_path / PARTS[2]).write_bytes(b"PK\x03\x04")
    assert f"{PARTS[2]}: it is a zip archive" in refused(gguf_files, path, tmp_path)


def part(number, count=2, entries=(), total=None):
    keys = [text("split.no") + struct.pack("<IH", 2, number)]
    keys.append(text("split.count") + struct.pack("<IH", 2, count))
    if total is not None:
        keys.append(text("split.tensors.count") + struct.pack("<Ii", 5, total))
    return file(entries, SIX, keys)


@pytest.mark.parametrize(
    ("first", "second", "reason"),
    [
        (part(0, entries=[entry()]), part(1, entries=[entry()]), "another part has it too"),
        (part(0, entries=[entry()], total=2), part(1), "hold 1 tensors, not the 2 that it states"),
        (part(0, 60_000), part(1), "it has 60000 parts"),
    ],
)
def test_parts_that_do_not_fit(first, second, reason, tmp_path):
    path = tmp_path / "m-00001-of-00002.gguf"
    path.write_bytes(first)
    (tmp_path / "m-00002-of-00002.gguf").write_bytes(second)
    assert reason in refused(gguf_files, path, tmp_path)


def test_a_scale_of_a_whole_nvfp4_matrix(tmp_path):
    """Codes 0 to 15, scales 1, and 3 for the whole: GGML's scale beside the blocks."""
    block = bytes([0x38] * 4 + [low | low + 8 << 4 for low in range(8)] * 4)
    entries = [entry("blk.0.ffn_up.weight", (64, 1), 40), entry("blk.0.ffn_up.scale", (1,), 0, 64)]
    path = tmp_path / "w.gguf"
    path.write_bytes(file(entries, block + bytes(28) + struct.pack("<f", 3)))
    weights = converted(gguf_files, path, tmp_path)
    positive = [0, 0.5, 1, 1.5, 2, 3, 4, 6]
    numbers = [3 * number for number in positive + [-number for number in positive]]
    assert weights.arrays["blk.0.ffn_up.weight"].tolist() == [numbers * 4]
    assert weights.layers["blk.0.ffn_up.scale"].role == "scale"
    entries[1] = entry("blk.0.ffn_up.scale", (2,), 0, 64)
    path.write_bytes(file(entries, block + bytes(28) + struct.pack("<2f", 3, 3)))
    assert "is not one float32 per matrix" in refused(gguf_files, path, tmp_path)


@pytest.mark.parametrize(
    ("kind", "shape", "block", "reason"),
    [
        (39, (32, 1), bytes([255]) + bytes(16), "the exponent 255"),
        (40, (64, 1), bytes([1, 127, 1, 1]) + bytes(32), "a scale that stands for no positive"),
        (40, (64, 1), bytes([1, 200, 1, 1]) + bytes(32), "a scale that stands for no positive"),
    ],
)
def test_scales_that_stand_for_no_number(kind, shape, block, reason, tmp_path):
    path = tmp_path / "w.gguf"
    path.write_bytes(file([entry(shape=shape, kind=kind)], block))
    error = refused(gguf_files, path, tmp_path)
    assert reason in error
    assert "'w.weight'" in error
