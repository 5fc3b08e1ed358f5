"""Pickles made to do harm: each ends in one line, and nothing of theirs runs."""

import os
import pickle
import struct
import sys
import zipfile
from collections import OrderedDict
from pathlib import Path

import paddle_files
import pytest
import pytorch
from conversions import FIXTURES, refused
from cpu import cpu_limit
from torch_pickles import tensor

CHECKPOINT = FIXTURES / "pytorch" / "convnet.pt"
HARMFUL = ("compile", "ctypes", "exec", "import", "os.exec", "os.system", "pickle", "subprocess")
events: list[str] = []
sys.addaudithook(lambda event, _: events.append(event))


class Call:
    """An object whose pickle calls a function."""

    def __init__(self, function, *arguments):
        self.call = function, arguments

    def __reduce__(self):
        return self.call


CALLS = {
    "system": Call(os.system, "touch /tmp/harm"),
    "eval": Call(eval, "1 + 1"),
    "within a dictionary": {"w": Call(exec, "pass")},
    "nested": Call(map, Call(os.system, "true"), [1]),
    "getattr": Call(getattr, OrderedDict(), "clear"),
    "import": Call(__import__, "os"),
}


def with_pickle(target: Path, content: bytes) -> Path:
    """A PyTorch archive with another pickle."""
    with zipfile.ZipFile(CHECKPOINT) as old, zipfile.ZipFile(target, "w") as new:
        for info in old.infolist():
            is_pickle = info.filename.endswith("data.pkl")
            new.writestr(info.filename, content if is_pickle else old.read(info))
    return target


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize("protocol", [0, 1, 2, 4, 5])
def test_nothing_in_a_pickle_is_called(name, protocol, tmp_path):
    path = with_pickle(tmp_path / "hostile.pt", pickle.dumps(CALLS[name], protocol))
    message = refused(pytorch, path, tmp_path)  # Python loads its text encodings only once
    events.clear()
    refused(pytorch, path, tmp_path)
    assert [event for event in events if event.startswith(HARMFUL)] == []
    assert "wants to run" in message


def test_a_plain_pickle_is_no_other(tmp_path):
    path = tmp_path / "hostile.pt"
    path.write_bytes(pickle.dumps(CALLS["system"], 4))
    assert "wants to run 'posix.system'" in refused(pytorch, path, tmp_path)


def doubling(depth: int) -> bytes:
    """2**depth paths to one list: what walks all of them takes for ever."""
    return b"\x80\x02]" + b"2\x86" * depth + b"."


BOMBS = {
    "memo of two billion": b"\x80\x02]r\xff\xff\xff\x7fj\xff\xff\xff\x7f.",
    "text of four gigabytes": b"\x80\x02X\xff\xff\xff\xff" + b"x",
    "bytes of eight exabytes": b"\x80\x04\x8e" + struct.pack("<Q", 2**63 - 1) + b"x",
    "integer of a gigabyte": b"\x80\x02\x8b\x00\x00\x00\x40" + b"x",
    "decimal of 100,000 digits": b"I" + b"9" * 100_000 + b"\n.",
    "doubling": doubling(64),
    "doubling as a key": b"\x80\x02}" + doubling(64)[2:-1] + b"K\x01s.",
    "100,000 lists in one another": b"\x80\x02" + b"]" * 100_000 + b"a" * 99_999 + b".",
    "a list in itself": b"\x80\x02]q\x00h\x00a.",
    "no end": b"\x80\x02]",
    "empty stack": b"\x80\x02a.",
    "items of an odd number": b"\x80\x02}(K\x01u.",
    "extension": b"\x80\x02\x82\x01.",
    "frame beyond the end": b"\x80\x04\x95" + struct.pack("<Q", 2**62) + b"].",
}


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_does_not_go_off(name, tmp_path):
    path = with_pickle(tmp_path / "bomb.pt", BOMBS[name])
    with cpu_limit(5):
        refused(pytorch, path, tmp_path)


@pytest.mark.parametrize(
    ("view", "problem"),
    [
        ((b"0", 0, (1 << 40,), (0,)), "repeats its numbers"),
        ((b"0", 0, (1 << 40,), (1,)), "damaged"),
        ((b"0", 0, (4,), (-1,)), "damaged"),
        ((b"0", 1 << 62, (4,), (1,)), "damaged"),
        ((b"0", 0, (4, 4), (1,)), "damaged"),
        ((b"0", 0, (1,) * 33, (1,) * 33), "damaged"),
        ((b"z", 0, (4,), (1,)), "missing"),
    ],
)
def test_a_view_stays_within_its_storage(view, problem, tmp_path):
    path = with_pickle(tmp_path / "view.pt", b"\x80\x02}U\x01w" + tensor(*view) + b"s.")
    assert problem in refused(pytorch, path, tmp_path)


def test_tensors_that_overlap_do_not_fill_the_disk(tmp_path):
    numel = 2**18
    views = b"".join(
        b"U\x01" + bytes([ord("a") + at]) + tensor(b"0", at, (numel - at,), (1,), numel) + b"s"
        for at in range(10)
    )
    path = tmp_path / "bomb.pt"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("model/data.pkl", b"\x80\x02}" + views + b".")
        archive.writestr("model/data/0", bytes(4 * numel))
    assert "its tensors overlap and claim" in refused(pytorch, path, tmp_path)


def laughs(levels: int) -> bytes:
    """A list of two lists that are one list of two lists, and so on: it has 2^levels leaves."""
    content = b"]q\x00"
    for level in range(1, levels + 1):
        content += b"]q" + bytes([level]) + b"(" + 2 * (b"h" + bytes([level - 1])) + b"e"
    return content


LAUGHS = {
    "module": b"X\x01\x00\x00\x00a\x93.",
    "type": b"q\xff0cnumpy\ndtype\nh\xff\x85R.",
    "encoding": b"q\xff0c_codecs\nencode\nX\x01\x00\x00\x00ah\xff\x86R.",
    "tensor": b"q\xff0ctorch._utils\n_rebuild_tensor\n(h\xffh\xffh\xffh\xfftR.",
    "values": b".",
}
COPIES = (
    b"\x80\x02]q\x00("
    + b"N" * 100_000
    + b"eq\x00ctorch\nSize\nq\x01("
    + b"h\x01h\x00\x85R" * 3000
    + b"t."
)
REFERENCES = b"\x80\x02]q\x00(" + b"N" * 100_000 + b"eq\x00](" + b"h\x00" * 3000 + b"e."


@pytest.mark.parametrize(
    ("converter", "content"),
    [
        # Both converters have one reader of pickles; these two contents keep it busy for long.
        pytest.param(converter, content, marks=pytest.mark.slow)
        if content == "values" or (converter, content) == (paddle_files, "references")
        else (converter, content)
        for converter in (pytorch, paddle_files)
        for content in (*LAUGHS, "copies", "references")
    ],
)
def test_small_pickles_of_large_values(converter, content, tmp_path):
    path = tmp_path / "hostile.pkl"
    made = {"copies": COPIES, "references": REFERENCES}
    path.write_bytes(made.get(content) or b"\x80\x04" + laughs(60) + LAUGHS[content])
    with cpu_limit(10):
        message = refused(converter, path, tmp_path)
    assert len(message) < 1000


def test_a_long_name_is_cut(tmp_path):
    name = "a" * 1_000_000
    path = with_pickle(tmp_path / "hostile.pt", f"c{name}\nb\n.".encode())
    assert len(refused(pytorch, path, tmp_path)) < 1000
