"""Pickles read by an interpreter of our own, in which nothing of the file's choosing can run.

`pickletools` decodes the instructions. What they build are plain Python values; a name that
the file imports is looked up in a table of ours, and never imported.
"""

import pickletools
import struct
import warnings
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from io import BytesIO
from mmap import mmap
from typing import IO, Any, cast

from common.errors import ConversionError, shown

MAX_NAME = 1000
"""Characters of a name that is imported."""
MAX_INSTRUCTIONS = 10_000_000
SPARE_COPIES = 1_000_000
SCALARS = (str, bytes, int, float, bool, type(None))
_CURES = {
    "sklearn": "Save it with skops, which numpy_files.py reads",
    "jax": "Use jax_files.py, or save NumPy arrays alone",
    "flax": "Use jax_files.py, or save NumPy arrays alone",
    "joblib": "Use jax_files.py, or save NumPy arrays alone",
}
"""What to do with an object of a package whose name begins so."""
DAMAGED = "Download or save it again"


@dataclass(frozen=True, eq=False)
class Global:
    """A name that the file imports, and our function in its place."""

    name: str
    make: Callable[..., Any]


@dataclass(eq=False)
class Record:
    """An object of a class that we do not have: its arguments and state, never looked into."""

    arguments: tuple[Any, ...] = ()
    state: Any = None

    def build(self, state: Any) -> None:
        """Take the state."""
        self.state = state


def inert(*arguments: Any) -> Record:
    """Stand-in for a harmless class."""
    return Record(arguments)


@dataclass(frozen=True, eq=False)
class OddKey:
    """Stands for a dictionary key that is not a scalar; hashing nested tuples could take ages."""


def _is_key(key: Any) -> bool:
    """Whether it may be a key; the digits of larger numbers are too many to be a name."""
    return isinstance(key, SCALARS) and not (isinstance(key, int) and key.bit_length() > 64)


def pickled_dict(pairs: Iterable[tuple[Any, Any]] = ()) -> dict[Any, Any]:
    """Make a dictionary, with `OddKey` in place of keys that are not short scalars."""
    return {key if _is_key(key) else OddKey(): value for key, value in pairs}


def load(
    file: BytesIO | mmap,
    allowed: Callable[[str], Callable[..., Any] | None],
    persistent: Callable[[Any], Any] | None = None,
) -> Any:
    """Read one pickle.

    Parameters
    ----------
    file : positioned at the pickle; left behind it. Not a plain file, whose `read(n)` allocates
        whatever n the pickle claims.
    allowed : our function for an imported name ("collections.OrderedDict"), or None.
    persistent : what a persistent identifier stands for.

    Returns
    -------
    The value, of None, bool, numbers, str, bytes, bytearray, tuple, list (sets too), dict,
    `Global` and what `allowed` and `persistent` return.

    Raises
    ------
    ConversionError
        If the pickle is damaged, needs a name that is not allowed, is too long, or copies more
        than it holds.
    """
    try:
        # Odd escapes in a pickle's texts are warned of; whoever wrote them is not here to read it.
        with warnings.catch_warnings(action="ignore"):
            return _run(_Machine(allowed, persistent, file.tell), file)
    except (
        ValueError,  # also what pickletools raises
        IndexError,  # an empty stack
        KeyError,  # an instruction that we do not have; a memo that was not kept
        TypeError,  # a function called with other arguments than its own
        AttributeError,
        OverflowError,
        struct.error,
    ) as error:
        raise ConversionError(f"its pickle is damaged ({error!r})", DAMAGED) from error


def _run(machine: "_Machine", file: BytesIO | mmap) -> Any:
    for count, (opcode, argument, _) in enumerate(pickletools.genops(cast("IO[bytes]", file))):
        if count > MAX_INSTRUCTIONS:
            raise ConversionError(
                f"its pickle has more than {MAX_INSTRUCTIONS} instructions",
                "Save the tensors alone",
            )
        if opcode.name in _CONSTANTS:
            machine.stack.append(argument)
        elif opcode.name == "STOP":
            return machine.stack.pop()
        else:
            _INSTRUCTIONS[opcode.name](machine, argument)
    raise ValueError("it has no end")


class _Machine:
    def __init__(
        self,
        allowed: Callable[[str], Callable[..., Any] | None],
        persistent: Callable[[Any], Any] | None,
        tell: Callable[[], int],
    ) -> None:
        self.allowed = allowed
        self.persistent = persistent
        self.tell = tell
        self.copied = 0
        self.stack: list[Any] = []
        self.below: list[list[Any]] = []
        self.memo: dict[int, Any] = {}

    def push(self, value: Any) -> None:
        # Called after its argument has been made: `pop_mark` exchanges the stack.
        self.stack.append(value)

    def mark(self, _: Any) -> None:
        self.below.append(self.stack)
        self.stack = []

    def pop_mark(self, _: Any = None) -> list[Any]:
        items = self.stack
        self.stack = self.below.pop()
        return items

    def pop(self, _: Any) -> None:
        if self.stack:
            self.stack.pop()
        else:
            self.pop_mark()

    def dup(self, _: Any) -> None:
        self.stack.append(self.stack[-1])

    def put(self, index: int) -> None:
        self.memo[index] = self.stack[-1]

    def memoize(self, _: Any) -> None:
        self.memo[len(self.memo)] = self.stack[-1]

    def get(self, index: int) -> None:
        self.stack.append(self.memo[index])

    def tuple_of(self, count: int) -> None:
        items = tuple(self.stack[len(self.stack) - count :])
        if len(items) != count:
            raise IndexError("the stack is empty")
        del self.stack[len(self.stack) - count :]
        self.stack.append(items)

    def extend(self, items: list[Any]) -> None:
        target = self.stack[-1]
        if not isinstance(target, list):
            raise TypeError("items are added to something that is not a list")
        target.extend(items)

    def set_items(self, items: list[Any]) -> None:
        target = self.stack[-1]
        if not isinstance(target, dict) or len(items) % 2:
            raise TypeError("items are set in something that is not a dictionary")
        target |= pickled_dict(zip(items[::2], items[1::2], strict=True))

    def new_dict(self, items: list[Any]) -> None:
        self.stack.append({})
        self.set_items(items)

    def import_(self, name: str) -> None:
        if len(name) > MAX_NAME:
            raise ConversionError(
                f"its pickle imports a name of more than {MAX_NAME} characters ({shown(name)})",
                DAMAGED,
            )
        make = self.allowed(name)
        if make is None:
            raise ConversionError(
                f"its pickle wants to run {name!r}, which is not on the list of harmless names",
                _CURES.get(name.partition(".")[0], "Save the state_dict alone")
                + ", from a program that you trust",
            )
        self.stack.append(Global(name, make))

    def stack_global(self, _: Any) -> None:
        name, module = self.stack.pop(), self.stack.pop()
        # The text of other values than these could be longer than the memory.
        if not isinstance(name, str) or not isinstance(module, str):
            raise TypeError("a name that is not text")
        # One long text may be stored once and taken for a name many times.
        self.import_(f"{module[: MAX_NAME + 1]}.{name[: MAX_NAME + 1]}")

    def call(self, function: Any, arguments: Any) -> None:
        if not isinstance(function, Global) or not isinstance(arguments, tuple):
            raise TypeError("something that is not a function is called")
        # A list is written once, and could be copied in seven bytes each time.
        self.copied += sum(len(item) for item in arguments if hasattr(item, "__len__"))
        if self.copied > self.tell() + SPARE_COPIES:
            raise ConversionError("its pickle copies more than it holds", "Save the tensors alone")
        self.stack.append(function.make(*arguments))

    def reduce(self, _: Any) -> None:
        arguments, function = self.stack.pop(), self.stack.pop()
        self.call(function, arguments)

    def new_object_with_keywords(self, _: Any) -> None:
        self.stack.pop()
        self.reduce(None)

    def object_(self, _: Any) -> None:
        function, *arguments = self.pop_mark()
        self.call(function, tuple(arguments))

    def instance(self, name: str) -> None:
        arguments = self.pop_mark()
        self.import_(name.replace(" ", "."))
        self.call(self.stack.pop(), tuple(arguments))

    def build(self, _: Any) -> None:
        state = self.stack.pop()
        target = self.stack[-1]
        if hasattr(target, "build"):
            target.build(state)

    def persistent_load(self, _: Any) -> None:
        if self.persistent is None:
            raise ValueError("a persistent identifier without a meaning")
        self.stack.append(self.persistent(self.stack.pop()))


_CONSTANTS = frozenset(
    {"INT", "LONG", "BININT", "BININT1", "BININT2", "LONG1", "LONG4", "FLOAT", "BINFLOAT"}
    | {"STRING", "BINSTRING", "SHORT_BINSTRING", "BINBYTES", "SHORT_BINBYTES", "BINBYTES8"}
    | {"UNICODE", "BINUNICODE", "SHORT_BINUNICODE", "BINUNICODE8", "BYTEARRAY8"}
)
_INSTRUCTIONS: Mapping[str, Callable[[_Machine, Any], object]] = {
    "PROTO": lambda m, _: None,
    "FRAME": lambda m, _: None,
    "NONE": lambda m, _: m.push(None),
    "NEWTRUE": lambda m, _: m.push(True),
    "NEWFALSE": lambda m, _: m.push(False),
    "MARK": _Machine.mark,
    "POP": _Machine.pop,
    "POP_MARK": _Machine.pop_mark,
    "DUP": _Machine.dup,
    "EMPTY_TUPLE": lambda m, _: m.push(()),
    "TUPLE1": lambda m, _: m.tuple_of(1),
    "TUPLE2": lambda m, _: m.tuple_of(2),
    "TUPLE3": lambda m, _: m.tuple_of(3),
    "TUPLE": lambda m, _: m.push(tuple(m.pop_mark())),
    "EMPTY_LIST": lambda m, _: m.push([]),
    "EMPTY_SET": lambda m, _: m.push([]),
    "LIST": lambda m, _: m.push(list(m.pop_mark())),
    "FROZENSET": lambda m, _: m.push(list(m.pop_mark())),
    "APPEND": lambda m, _: m.extend([m.stack.pop()]),
    "APPENDS": lambda m, _: m.extend(m.pop_mark()),
    "ADDITEMS": lambda m, _: m.extend(m.pop_mark()),
    "EMPTY_DICT": lambda m, _: m.push({}),
    "DICT": lambda m, _: m.new_dict(m.pop_mark()),
    "SETITEM": lambda m, _: m.set_items([m.stack.pop(-2), m.stack.pop()]),
    "SETITEMS": lambda m, _: m.set_items(m.pop_mark()),
    "PUT": _Machine.put,
    "BINPUT": _Machine.put,
    "LONG_BINPUT": _Machine.put,
    "MEMOIZE": _Machine.memoize,
    "GET": _Machine.get,
    "BINGET": _Machine.get,
    "LONG_BINGET": _Machine.get,
    "GLOBAL": lambda m, name: m.import_(name.replace(" ", ".")),
    "STACK_GLOBAL": _Machine.stack_global,
    "REDUCE": _Machine.reduce,
    "NEWOBJ": _Machine.reduce,
    "NEWOBJ_EX": _Machine.new_object_with_keywords,
    "OBJ": _Machine.object_,
    "INST": _Machine.instance,
    "BUILD": _Machine.build,
    "BINPERSID": _Machine.persistent_load,
}
