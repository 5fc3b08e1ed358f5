"""The command line that all converters share.

A converter is a function that opens a file and returns a `Source`, without reading numbers, and a
last line `sys.exit(main(open_model, __doc__))`. All else happens here.
"""

import argparse
import json
import os
import re
import signal
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from common.errors import ConversionError
from common.facts import Facts
from common.interrupts import INTERRUPTED, SAID
from common.manifest import NO_DIGEST, digest_of, manifest_text
from common.numbers import CODES, FLOATS
from common.places import places_of
from common.printing import is_standard_output, print_out
from common.replacing import replacing
from common.source import Source, Tensor
from common.writing import (
    Stored,
    replace_in_header,
    write_hdf5,
    write_safetensors,
    write_shards,
)
from numpy.typing import NDArray

MAX_WIDTH = 100
"""Characters that a column of a table is filled up to."""
_UNITS = {"": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9}
Opener = Callable[[Path, argparse.Namespace], Source]


def main(
    open_source: Opener,
    description: str,
    add_arguments: Callable[[argparse.ArgumentParser], None] = lambda _: None,
    argv: Sequence[str] | None = None,
) -> int:
    """Run a converter.

    Parameters
    ----------
    open_source : from the input's path and the parsed arguments to what the file holds.
    description : the help's text.
    add_arguments : adds the converter's own arguments.
    argv : arguments; those of the process if None.

    Returns
    -------
    int, the exit code: 0, or 2 after one line on stderr with nothing written; 130 if interrupted.
    """
    arguments = _parse(description, add_arguments, argv)
    try:
        with _ended_in_order():
            _convert(open_source, arguments)
    except ConversionError as error:
        return _fail(str(error.at(arguments.input)))
    except MemoryError:
        return _fail(f"{arguments.input}: there is not enough memory for its largest tensor")
    except OSError as error:
        return _fail(f"{error.filename or arguments.input}: {error.strerror or error}")
    except KeyboardInterrupt:
        sys.stderr.write(SAID)
        return INTERRUPTED
    return 0


@contextmanager
def _ended_in_order() -> Iterator[None]:
    """Let an interrupt and a request to end remove what is unfinished, as an error does."""

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    # Who ignores a signal goes on ignoring it.
    changed = {n: handler for n, handler in before.items() if handler not in (signal.SIG_IGN, None)}
    for number in changed:
        signal.signal(number, interrupt)
    try:
        yield
    finally:
        for number, handler in changed.items():
            signal.signal(number, handler)


def _parse(
    description: str,
    add_arguments: Callable[[argparse.ArgumentParser], None],
    argv: Sequence[str] | None,
) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=description.partition("\n")[0])
    parser.add_argument("input", type=Path, help="file or folder to convert")
    parser.add_argument("-o", "--output", type=Path, help="file to write; replaced at once")
    parser.add_argument(
        "--format",
        choices=["safetensors", "hdf5"],
        help="format to write (default: hdf5 if OUTPUT ends in .h5 or .hdf5, else safetensors)",
    )
    parser.add_argument(
        "--dtype",
        choices=["keep", "float32"],
        default="keep",
        help="keep number types (default), or write all floating-point numbers as float32",
    )
    for flag, what in (("--include", "keep only"), ("--exclude", "leave out")):
        parser.add_argument(
            flag, action="append", default=[], metavar="GLOB", help=f"{what} matching tensors"
        )
    parser.add_argument(
        "--max-shard-size",
        type=_byte_size,
        metavar="SIZE",
        help="make OUTPUT a folder of safetensors files of at most this size (500MB, 5GB)",
    )
    parser.add_argument(
        "--places",
        action="store_true",
        help="for programs: print as JSON what is known of the tensors and where those lie whose "
        "numbers are in the source as they are; only the others go to OUTPUT, if it is named",
    )
    parser.add_argument(
        "--dry-run", action="store_true", help="print what would be written and write nothing"
    )
    add_arguments(parser)
    arguments = parser.parse_args(argv)
    if arguments.output is None and not arguments.dry_run and not arguments.places:
        parser.error("an output is needed: -o OUTPUT, or --dry-run")
    return arguments


def _byte_size(text: str) -> int:
    match = re.fullmatch(r"(\d{1,12})(KB|MB|GB)?", text)
    size = 0 if match is None else int(match[1]) * _UNITS[match[2] or ""]
    if size < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a size such as 500MB or 5GB")
    return size


def _convert(open_source: Opener, arguments: argparse.Namespace) -> None:
    if not arguments.input.exists():
        raise ConversionError("there is no such file", "Check the path")
    source = _writable(open_source(arguments.input, arguments))
    tensors = _selected(source, arguments.include, arguments.exclude)
    for tensor in tensors:
        _check(tensor)
    if arguments.dry_run:
        print_out("".join(f"{line}\n" for line in _table(tensors)))
    elif arguments.places:
        _answer(source, tensors, arguments, Path(open_source.__code__.co_filename).name)
    else:
        _write(source, tensors, arguments, Path(open_source.__code__.co_filename).name)
    for reason, count in source.dropped.items():
        sys.stderr.write(f"left out: {count} x {_printable(reason)}\n")
    for note in source.notes:
        sys.stderr.write(f"note: {_printable(note)}\n")


def _writable(source: Source) -> Source:
    """Drop the tensors whose number types no weight file holds, and count them."""
    dropped = Counter(source.dropped)
    dropped.update(
        f"tensor with numbers of type {tensor.dtype}, which cannot be written"
        for tensor in source.tensors
        if tensor.dtype not in CODES
    )
    kept = [tensor for tensor in source.tensors if tensor.dtype in CODES]
    return replace(source, tensors=kept, dropped=dropped)


def _selected(source: Source, include: Sequence[str], exclude: Sequence[str]) -> list[Tensor]:
    """Tensors that the patterns leave, with ties to those left out renewed among the others."""

    def is_wanted(name: str) -> bool:
        return (not include or any(fnmatchcase(name, glob) for glob in include)) and not any(
            fnmatchcase(name, glob) for glob in exclude
        )

    kept = [tensor for tensor in source.tensors if is_wanted(tensor.name)]
    needed = {name for tensor in kept for name, _ in tensor.facts.scale_tensors()}
    kept = [_fitting(t) for t in source.tensors if is_wanted(t.name) or t.name in needed]
    if not kept:
        counts = ", ".join(f"{count} x {reason}" for reason, count in source.dropped.items())
        raise ConversionError(
            "no tensor is left to write" + f" (left out: {counts})" * bool(counts),
            "Check the file, --include and --exclude" if source.tensors else "Check the file",
        )
    names = {tensor.name for tensor in kept}
    if len(names) < len(kept):
        raise ConversionError("two tensors have the same name", "Leave one out with --key")
    holders: dict[str, str] = {}
    tied = []
    for tensor in kept:
        same_as = tensor.same_as
        if same_as is not None and same_as not in names:
            holder = holders.setdefault(same_as, tensor.name)
            same_as = None if holder == tensor.name else holder
        tied.append(replace(tensor, same_as=same_as))
    return tied


def _fitting(tensor: Tensor) -> Tensor:
    """Tensor whose facts fit its shape: in a damaged file they may not."""
    problem = tensor.facts.problem(tensor.shape)
    return replace(tensor, facts=Facts("unknown", problem)) if problem else tensor


def _check(tensor: Tensor) -> None:
    try:
        tensor.name.encode()
    except UnicodeEncodeError as error:
        raise ConversionError("its name is not Unicode text", "Rename it", tensor.name) from error
    if not tensor.name or tensor.name == "__metadata__":
        raise ConversionError("a weight file cannot hold this name", "Rename it", tensor.name)


def _table(tensors: Sequence[Tensor]) -> Iterator[str]:
    rows = [("tensor", "shape", "dtype", "stated")]
    for tensor in tensors:
        size = "x".join(map(str, tensor.shape))
        rows.append((_printable(tensor.name), size, tensor.dtype, _printable(_stated(tensor))))
    widths = [min(MAX_WIDTH, max(map(len, column))) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        yield "  ".join(cells).rstrip()


def _stated(tensor: Tensor) -> str:
    facts = tensor.facts
    axes = f"({', '.join(facts.axes)})" if facts.axes else None
    tie = f"same as {tensor.same_as}" if tensor.same_as else None
    words = (tie, facts.role, axes, facts.layer_class, facts.rule)
    return "; ".join(word for word in words if word)


def _write(
    source: Source, tensors: Sequence[Tensor], arguments: argparse.Namespace, converter: str
) -> None:
    output: Path = arguments.output
    by_suffix = "hdf5" if output.suffix in (".h5", ".hdf5") else "safetensors"
    is_hdf5 = (arguments.format or by_suffix) == "hdf5"
    limit = arguments.max_shard_size
    if is_hdf5 and limit is not None:
        raise ConversionError("HDF5 files are not sharded", "Leave --max-shard-size out")
    _check_output(output, source.files, is_folder=limit is not None)
    kept = [tensor for tensor in tensors if tensor.same_as is None]

    def manifest(names: Sequence[str]) -> str:
        wanted = set(names)
        entries = [t for t in tensors if (t.same_as or t.name) in wanted]
        return manifest_text(source, entries, converter)

    # The digest is taken while the tensors are read and written, and put in its place at the end.
    with ThreadPoolExecutor(1) as pool, replacing(output) as temporary:
        digest = pool.submit(digest_of, source.files)
        stored = [
            _stored(tensor, arguments.dtype, at, len(kept)) for at, tensor in enumerate(kept, 1)
        ]
        everything = manifest([tensor.name for tensor in kept])
        if is_hdf5:
            write_hdf5(temporary, stored, everything.replace(NO_DIGEST, digest.result(), 1))
            files = []
        elif limit is None:
            write_safetensors(temporary, stored, everything)
            files = [temporary]
        else:
            files = write_shards(temporary, stored, limit, manifest)
        for file in files:
            replace_in_header(file, NO_DIGEST, digest.result())
    said = f"{output}: {len(kept)} tensors\n"
    if is_standard_output(output):
        sys.stderr.write(said)
    else:
        print_out(said)


def _answer(
    source: Source, tensors: Sequence[Tensor], arguments: argparse.Namespace, converter: str
) -> None:
    """Print facts and places, and write only what must be copied."""
    kept = [tensor for tensor in tensors if tensor.same_as is None]
    places = places_of(kept)
    copied = [tensor for tensor in kept if tensor.name not in places]
    text = manifest_text(source, tensors, converter, None)
    if copied and arguments.output is not None:
        stored = [_stored(t, "keep", at, len(copied)) for at, t in enumerate(copied, 1)]
        with replacing(arguments.output) as temporary:
            write_safetensors(temporary, stored, text)
    answer = {
        "manifest": text,
        "files": [os.fspath(file) for file in sorted(source.files)],
        "copied": {
            tensor.name: {"dtype": tensor.dtype, "shape": tensor.shape} for tensor in copied
        },
        "places": places,
    }
    print_out(json.dumps(answer))


def _check_output(output: Path, files: Sequence[Path], *, is_folder: bool) -> None:
    if not output.parent.is_dir():
        raise ConversionError("its folder does not exist", "Make the folder first", file=output)
    if is_folder and output.exists():
        raise ConversionError("it exists", "Name a new folder", file=output)
    if output.is_dir():
        raise ConversionError("it is a folder", "Name a file", file=output)
    if output.exists() and any(output.samefile(path) for path in files):
        raise ConversionError("it is the input", "Choose another name", file=output)


def _stored(tensor: Tensor, dtype: str, at: int, count: int) -> Stored:
    def read() -> NDArray[Any]:
        if sys.stderr.isatty():
            sys.stderr.write(f"\r{at}/{count} tensors" + "\n" * (at == count))
        try:
            return tensor.read()
        except ConversionError as error:
            raise error.at(None, tensor.name) from error

    return Stored(
        tensor.name,
        tensor.shape,
        tensor.dtype,
        "float32" if dtype == "float32" and tensor.dtype in FLOATS else tensor.dtype,
        read,
    )


def _printable(text: str) -> str:
    return text if text.isprintable() else ascii(text)


def _fail(message: str) -> int:
    sys.stderr.write(f"error: {message}\n")
    return 2
