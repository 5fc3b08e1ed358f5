"""Codes of a few bits in words."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from htsr_ref.weights.packed.bits import unpack_stream, words_around
from htsr_ref.weights.packed.small_floats import E2M1, powers_of_two


def packed(codes: list[int], bits: int, width: int) -> list[int]:
    """The stream as one long integer, cut into words."""
    stream = sum(code << bits * at for at, code in enumerate(codes))
    count = -(-len(codes) * bits // width)
    return [stream >> width * at & 2**width - 1 for at in range(count)]


@st.composite
def streams(draw):
    bits = draw(st.integers(1, 8))
    codes = draw(st.lists(st.integers(0, 2**bits - 1), max_size=80))
    return codes, bits


@pytest.mark.spec("PAK-30")
@given(streams(), st.sampled_from(["u1", "u4", "i4"]), st.sampled_from([0, 1]))
def test_a_stream_unpacks_to_its_codes(stream, kind, axis):
    codes, bits = stream
    unsigned = f"u{kind[1]}"
    words = np.array(packed(codes, bits, 8 * int(kind[1])), dtype=unsigned).view(kind)
    other = np.zeros_like(words)
    both = np.stack([words, other], 1 - axis)
    found = unpack_stream(both, bits, len(codes), axis)
    assert found.dtype == np.uint8
    assert found.take(0, 1 - axis).tolist() == codes
    assert not found.take(1, 1 - axis).any()


@given(streams(), st.integers(0, 79), st.integers(0, 80), st.integers(1, 5))
def test_a_part_is_found_in_the_words_around_it(stream, start, stop, step):
    codes, bits = stream
    stop = min(stop, len(codes))
    start = min(start, stop)
    words = np.array(packed(codes, bits, 32), dtype=np.uint32)
    around, count, part = words_around(slice(start, stop, step), bits)
    assert unpack_stream(words[around], bits, count, 0)[part].tolist() == codes[start:stop:step]


def test_too_few_words():
    with pytest.raises(ValueError, match="2 words are too few for 22 codes"):
        unpack_stream(np.zeros(2, np.uint32), 3, 22, 0)


@pytest.mark.spec("PAK-30")
def test_small_floats():
    assert E2M1.tolist()[:8] == [0, 0.5, 1, 1.5, 2, 3, 4, 6]
    assert np.signbit(E2M1).tolist() == [False] * 8 + [True] * 8
    assert powers_of_two(np.array([0, 254], np.uint8)).tolist() == [2.0**-127, 2.0**127]
    assert np.isnan(powers_of_two(np.array([255], np.uint8))).all()
