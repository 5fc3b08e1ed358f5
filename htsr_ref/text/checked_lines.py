"""Lines of JSON that carry their own digest: a torn or damaged one is told from a whole one."""

import hashlib
import json
from typing import Any

from htsr_ref.text.strictjson import field_names

MARK = b"htsr "
"""What every line begins with."""

_DIGITS = 32


def checked_line(value: Any) -> bytes:
    r"""Write a value as one line of ASCII: the mark, a digest of the rest, JSON.

    Dataclasses are written as objects of their fields, tuples as arrays.

    Raises
    ------
    ValueError
        If it holds NaN or an infinity.

    >>> checked_line([1])
    b'htsr ef6555d139bba0ca2326a50024344e1b [1]\n'
    """
    written = json.dumps(value, allow_nan=False, separators=(",", ":"), default=_object)
    text = written.encode("ascii")
    return b"%s%s %s\n" % (MARK, _digest(text), text)


def checked_value(line: bytes) -> Any:
    """Read such a line.

    Raises
    ------
    ValueError
        If it is not one, is cut off, has changed since it was written, or is nested too deeply.
    """
    start = len(MARK) + _DIGITS + 1
    text = line[start:-1]
    if line != b"%s%s %s\n" % (MARK, _digest(text), text):
        raise ValueError("it is not what was written")
    try:
        return json.loads(text)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def _digest(text: bytes) -> bytes:
    return hashlib.blake2b(text, digest_size=_DIGITS // 2).hexdigest().encode("ascii")


def _object(value: Any) -> dict[str, Any]:
    kind: type = type(value)
    return {name: getattr(value, name) for name in field_names(kind)}
