"""TensorFlow's checkpoints: an index, which is a sorted table, and shards of numbers.

The index is a table as LevelDB has it (blocks of keys without their common beginnings), whose
values are BundleEntryProto; field numbers are those of TensorFlow 2.21.
"""

import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from common.containers import DAMAGED, read_at_most
from common.errors import ConversionError
from common.names import NameBudget
from protobuf.wire import fields, signed, varint

MAGIC = struct.pack("<Q", 0xDB4775248B80FB57)
FOOTER, TRAILER = 48, 5
MAX_INDEX = 2**26
OBJECT_GRAPH = "_CHECKPOINTABLE_OBJECT_GRAPH"
STRING = 7
DTYPES = {
    1: "float32",
    2: "float64",
    3: "int32",
    4: "uint8",
    5: "int16",
    6: "int8",
    8: "complex64",
    9: "int64",
    10: "bool",
    14: "bfloat16",
    17: "uint16",
    19: "float16",
    22: "uint32",
    23: "uint64",
    24: "float8_e5m2",
    25: "float8_e4m3fn",
}
"""DataType; strings, resources, quantized and complex128 numbers are not among them."""


@dataclass(frozen=True)
class Entry:
    """A tensor of a checkpoint.

    Parameters
    ----------
    code : number type, as TensorFlow numbers it.
    shard, offset, size : where its bytes are.
    is_partitioned : whether it is in pieces, each of them an entry of its own.
    """

    shape: tuple[int, ...]
    code: int
    shard: Path
    offset: int
    size: int
    is_partitioned: bool


def read_index(path: Path) -> dict[str, Entry]:
    """Tensors of a checkpoint by name.

    Raises
    ------
    ConversionError
        If the index is damaged, or big-endian.
    """
    data = read_at_most(path, MAX_INDEX + 1)
    if len(data) > MAX_INDEX:
        raise ConversionError(f"its index is larger than {MAX_INDEX} bytes", DAMAGED, file=path)
    try:
        return dict(_entries(path, data))
    except (ValueError, KeyError) as error:
        raise ConversionError(f"its index is damaged ({error})", DAMAGED, file=path) from error


def read_string(entry: Entry) -> bytes:
    """Value of a tensor that is one string.

    It is there as its length, a checksum of that, and its bytes.
    """
    data = read_at_most(entry.shard, min(entry.size, MAX_INDEX), entry.offset)
    size, at = varint(data, 0, len(data))
    return data[at + 4 : at + 4 + size]


def read_full_names(graph: bytes) -> dict[str, str]:
    """Names that variables had, by key, from a TrackableObjectGraph."""
    names = {}
    for node in fields(graph, 0, len(graph)):
        for part in fields(graph, node.start, node.end):
            if part.number == 2:
                texts = {
                    item.number: graph[item.start : item.end].decode()
                    for item in fields(graph, part.start, part.end)
                    if item.number in (2, 3)
                }
                names[texts.get(3, "")] = texts.get(2, "")
    return names


def _entries(path: Path, data: bytes) -> Iterator[tuple[str, Entry]]:
    if len(data) < FOOTER or not data.endswith(MAGIC):
        raise ValueError("it does not end as one")
    at = len(data) - FOOTER
    for _ in range(2):  # where the index of metadata is, of which there is none
        _, at = varint(data, at, len(data))
    blocks = _block(data, at)
    shards = None
    for _, handle in blocks:
        for key, value in _block(handle, 0, data):
            if key == b"":
                shards = _shard_count(value)
            elif shards is None:
                raise ValueError("it has no header")
            elif not key.startswith(b"\0"):  # the key of a piece
                yield key.decode(), _entry(path, value, shards)


def _block(handle: bytes, at: int, data: bytes | None = None) -> list[tuple[bytes, bytes]]:
    """Keys and values of the block that a handle names by offset and size."""
    data = handle if data is None else data
    start, at = varint(handle, at, len(handle))
    size, _ = varint(handle, at, len(handle))
    end = start + size
    if end + TRAILER > len(data) or size < 4:
        raise ValueError("a block reaches beyond it")
    if data[end]:
        raise ValueError(f"it is compressed by method {data[end]}")
    (stated,) = struct.unpack("<I", data[end + 1 : end + TRAILER])
    if stated != _masked_crc32c(data[start : end + 1]):
        raise ValueError("a block does not have the checksum stated")
    (restarts,) = struct.unpack("<I", data[end - 4 : end])
    end -= 4 + 4 * restarts
    if end < start:
        raise ValueError("a block has too many restarts")
    items, key, at, budget = [], b"", start, NameBudget()
    while at < end:
        shared, at = varint(data, at, end)
        rest, at = varint(data, at, end)
        length, at = varint(data, at, end)
        if at + rest + length > end:
            raise ValueError("a key reaches beyond its block")
        budget.spend(shared + rest)
        key = key[:shared] + data[at : at + rest]
        items.append((key, data[at + rest : at + rest + length]))
        at += rest + length
    return items


def _shard_count(header: bytes) -> int:
    found = {item.number: item for item in fields(header, 0, len(header))}
    if 2 in found and found[2].value != 0:
        raise ValueError("it is big-endian")
    return found[1].value if 1 in found else 0


def _entry(path: Path, value: bytes, shards: int) -> Entry:
    found = {item.number: item for item in fields(value, 0, len(value))}
    numbers: Mapping[int, int] = {number: signed(item.value) for number, item in found.items()}
    shape: list[int] = []
    if 2 in found:
        for dim in fields(value, found[2].start, found[2].end):
            if dim.number == 2:
                size = {item.number: item.value for item in fields(value, dim.start, dim.end)}
                shape.append(signed(size.get(1, 0)))
    if min([0, *shape, *numbers.values()]) < 0:
        raise ValueError("a number is negative")
    shard = f"{path.name.removesuffix('.index')}.data-{numbers.get(3, 0):05}-of-{shards:05}"
    return Entry(
        tuple(shape),
        numbers.get(1, 0),
        path.with_name(shard),
        numbers.get(4, 0),
        numbers.get(5, 0),
        is_partitioned=7 in found,
    )


def _masked_crc32c(data: bytes) -> int:
    crc = 0xFFFFFFFF
    for byte in data:
        crc = _CRC_TABLE[(crc ^ byte) & 255] ^ (crc >> 8)
    crc ^= 0xFFFFFFFF
    return ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF


def _crc_table() -> list[int]:
    table = []
    for value in range(256):
        for _ in range(8):
            value = value >> 1 ^ (0x82F63B78 if value & 1 else 0)
        table.append(value)
    return table


_CRC_TABLE = _crc_table()
