"""Lines that carry their digest."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from htsr_ref.text.checked_lines import checked_line, checked_value

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
pytestmark = pytest.mark.spec("SCL-9")


@given(JSON)
def test_what_is_written_is_read(value):
    line = checked_line(value)
    assert line.isascii()
    assert line.index(b"\n") == len(line) - 1
    assert checked_value(line) == value


@given(st.data())
def test_a_line_that_is_cut_or_changed_is_refused(data):
    line = checked_line(data.draw(JSON))
    place = data.draw(st.integers(0, len(line) - 1))
    flip = data.draw(st.integers(1, 255))
    changed = line[:place] + bytes([line[place] ^ flip]) + line[place + 1 :]
    for broken in (line[:place], changed):
        with pytest.raises(ValueError, match="not what was written"):
            checked_value(broken)


def test_a_line_that_is_nested_too_deeply():
    text = b"[" * 10**6
    digest = hashlib.blake2b(text, digest_size=16).hexdigest().encode()
    with pytest.raises(ValueError, match="too deeply"):
        checked_value(b"htsr %s %s\n" % (digest, text))


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_what_json_lacks_is_not_written(value):
    with pytest.raises(ValueError, match="not JSON compliant"):
        checked_line([value])
