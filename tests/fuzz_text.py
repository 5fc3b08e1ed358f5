"""Damage the texts that commands read, at random; run the commands; count what comes of it.

Run by hand: `python tests/fuzz_text.py COUNT SEED`. A command may do its work, or end with an error
of ours in one line; anything else is a failure. Failures are printed with their numbers, which
repeat them (`COUNT` 1, `SEED` the number), and the exit code is 1.
"""

import contextlib
import io
import json
import os
import sys
import tempfile
import traceback
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

if __name__ == "__main__":
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    sys.path.insert(0, str(Path(__file__).parents[1]))

import numpy as np
import typer
from safetensors.numpy import save_file

from htsr_ref import analyze
from htsr_ref.analysis import journal
from htsr_ref.cli.main import app
from htsr_ref.conventions import CONVENTIONS
from htsr_ref.errors import HtsrError
from htsr_ref.text.checked_lines import checked_line, checked_value
from htsr_ref.text.lines import one_line
from htsr_ref.weights import open_weights

UsageError = typer.BadParameter.__mro__[1]
"""What the parser of the command line raises, whichever library it is of."""
COMMAND = typer.main.get_command(app)
UNFORESEEN = "it cannot be analyzed ("
"""What is said of an error that is not ours, if it concerns one of several models."""
VALUES: tuple[Any, ...] = (None, True, False, 0, -1, 1, 2**31, 2**63, 10**400, 0.5, -0.0, 1e308)
VALUES += ("", "x", "none", "nan", "1e400", "\0", "\x1b[31m", "\u202e", "\ud800", "x" * 5000)
VALUES += ([], [[]], {}, {"x": 1}, [1, "x"], [None] * 40, "weight", ["out", "in"], ["stack"])
CELLS = ("", "1e400", "-1e400", "nan", "inf", "9" * 401, "0x10", "1_0", "٣", "x" * 5000, "\0")
CELLS += ('"', '"a,b"', ";", "\t", "alpha", "layer", "\ufeff", "1,5", "-0", "1e-400", "\r", "\x1b")
BYTES = (b"", b"\0", b"\xff", b"\n", b"\r", b'"', b",", b"{", b"[", b"=", b"#", b"9" * 500, b"\\")
BYTES += (b"e999", b"-", b"'", b"[[a]]\n", b"\xed\xa0\x80", b"\\ud800", b"Infinity", b"[" * 3000)


@dataclass(frozen=True)
class Kind:
    """Texts of one kind: where one goes, its whole content, and the commands that read it.

    It goes to a file of this name, or takes the place of `{}` among the arguments if that is none.
    """

    name: str
    content: bytes
    commands: tuple[tuple[str, ...], ...]
    is_signed: bool = False
    """Whether its lines carry digests, which are made anew when what they hold is damaged."""

    @property
    def is_json(self) -> bool:
        """Whether its values are damaged as those of JSON."""
        return self.name.endswith(".json")


def kinds(folder: Path) -> tuple[Kind, ...]:
    """Write what commands need beside the text, and make a whole text of every kind."""
    rng = np.random.default_rng(0)
    model = folder / "model.safetensors"
    tensors = {"fc1.weight": (14, 10), "fc2.weight": (6, 14), "conv.weight": (8, 6, 2, 1)}
    save_file({name: rng.standard_normal(shape) for name, shape in tensors.items()}, model)
    changes = {"min_dim": 0, "min_eigenvalues": 0}
    paper = next(iter(CONVENTIONS.values())).override(changes)
    report = analyze(open_weights(model), paper)
    whole = report.to_json().encode()
    (folder / "b.json").write_bytes(whole)
    table = str(folder / "t.csv")
    (folder / "t.csv").write_text("layer,my alpha\nfc1,2.5\n")
    (folder / "c.json").write_bytes(whole.replace(b"model.safetensors", b"c.safetensors"))
    fields = json.dumps({"name": "mine", **paper.values()})
    base = next(iter(CONVENTIONS))
    toml = f'name = "mine"\nbase = "{base}"\nmin_dim = 0\nalpha_range = [2, 6.5]\n'
    layers = {"fc1*": {"role": "weight", "axes": ["in", "out"]}, "conv": {"skip": "as I say"}}
    theirs = "layer_id,longname,N,M,alpha,lambda_max,warning\n"
    theirs += "0,fc1,14,10,2.5,31.2,\n1,fc2,14,6,3,1e1,x\n"
    mine = "my layer;my alpha\nfc1;2.5\nfc2;3\n"
    accuracies = "model,accuracy,series\nb,0.5,x\nc,0.6,x\ndamaged,0.7,x\n"
    ours = report.to_csv().encode()
    step = folder / "step-1.json"
    step.write_bytes(whole)
    at = str(folder / "damaged")
    b, c = str(folder / "b.json"), str(folder / "c.json")
    audit, describe, take = ("audit", str(model)), ("describe", str(model)), ("analyze", str(model))
    mapped = ("--map", "my layer=layer", "--map", "my alpha=alpha", "--convention", base)
    synth = ("synth", at + ".safetensors", "--shape=6x4")
    trend = ("trend", b, c, "--bootstrap=100", "--json")
    show, show_it = ("conventions", "show"), ("show", at + ".json", "--skipped")
    return (
        Kind("damaged.toml", toml.encode(), ((*show, at + ".toml"),)),
        Kind(
            "damaged.json",
            fields.encode(),
            (("conventions", "diff", base, at + ".json"), (*take, f"--convention={at}.json")),
        ),
        Kind("damaged.json", whole, (("rank", b, at + ".json"), ("diff", at + ".json", b))),
        Kind("damaged.json", whole, ((*audit, at + ".json"),)),
        Kind("damaged.json", whole, (show_it, (*show_it, "--csv", "--per=layer"))),
        Kind("damaged.json", whole, (("report", at + ".json", "-o", at + ".html"),)),
        Kind("damaged.csv", theirs.encode(), ((*audit, at + ".csv", "--changes=0"),)),
        Kind("damaged.csv", ours, ((*audit, at + ".csv", "--changes=0"),)),
        Kind("damaged.csv", mine.encode(), ((*audit, at + ".csv", "--changes=0", *mapped),)),
        Kind("damaged.json", json.dumps(layers).encode(), ((*describe, f"--layers={at}.json"),)),
        Kind("damaged.csv", accuracies.encode(), ((*trend, f"--accuracy={at}.csv"),)),
        Kind("damaged.txt", b"size\n1.5, 2  # two\n3e2 4 5 6.5\n7\n8 9", (("fit", at + ".txt"),)),
        Kind("", b"min_dim=3", ((*take, "--set={}"),)),
        Kind("", b"alpha_range=2,6", ((*take, "--set={}"),)),
        Kind("", b"alpha_hat<-300.5", ((*take, "--fail-if={}"),)),
        Kind("", b"layer=layer", ((*audit, table, "--changes=0", "--map={}", *mapped[2:]),)),
        Kind("", b"weightwatcher", ((*show, "{}"), (*show, "--", "{}"))),
        Kind(
            "", b"model.safetensors", (("describe", f"{folder}/{{}}"), ("rank", f"{folder}/{{}}"))
        ),
        Kind("", b"fc*", ((*describe, "--include={}"),)),
        Kind("", b"20x10", (("synth", at + ".safetensors", "--ensemble=gaussian", "--shape={}"),)),
        Kind("", b"1.5", ((*synth, "--ensemble=pareto", "--mu={}"),)),
        Kind("", b"3,2,1.5,1e10", ((*synth, "--ensemble=prescribed", "--singular-values={}"),)),
        Kind("", b"1e3", ((*synth, "--ensemble=pareto", "--mu=1.5", "--scale={}"),)),
        Kind("step-2.json", whole, (("trend", "--time", str(step), f"{folder}/step-2.json"),)),
        Kind("", b"1.5 GB", ((*take, f"--cache={at}", "--cache-size={}"),)),
        Kind("", b"800M", ((*take, "--max-memory={}"),)),
        *_kinds_of_runs(folder),
    )


def _kinds_of_runs(folder: Path) -> tuple[Kind, ...]:
    """Make what steers runs over several files, and what such runs leave for the next."""
    runs = folder / "runs"
    runs.mkdir(exist_ok=True)
    rng = np.random.default_rng(0)
    small = runs / "step-1.safetensors"
    save_file({name: rng.standard_normal((9, 7)) for name in ("a.weight", "b.weight")}, small)
    take = ("analyze", str(small), "--set=min_dim=0", "--set=min_eigenvalues=0")
    parts = [folder / "damaged.part", folder / "other.part"]
    for number, path in enumerate(parts, 1):
        outcome((*take, f"--part={number}/2", "-o", str(path)))
    noted = (*take, "-o", f"{folder}/noted/", "--skip-existing")
    outcome(noted)
    kept = (*take, "-o", f"{folder}/kept.json", "--resume")
    with (
        mock.patch.object(journal, "PATIENCE", 0.0),
        mock.patch.object(journal.Journal, "remove"),
    ):
        outcome(kept)
    watch = ("watch", str(runs), "--once", "--interval=0.05", "--set=min_dim=0")
    listed = b"# models\nstep-1.safetensors\nstep-*.safetensors\n"
    merge = ("merge", *map(str, parts))
    left = {"damaged.part": merge, "noted/.htsr/step-1.json": noted, "kept.json.journal": kept}
    return (
        *(
            Kind(name, (folder / name).read_bytes(), (command,), is_signed=True)
            for name, command in left.items()
        ),
        Kind(
            "runs/models.txt",
            listed,
            (("analyze", f"--manifest={runs}/models.txt", "-o", f"{folder}/listed/"),),
        ),
        Kind("", b"since-least:mean_alpha>=5", ((*watch, "--until={}"), (*watch, "--fail-if={}"))),
    )


def damage(kind: Kind, rng: np.random.Generator) -> bytes:
    """Damage a text in one or two places: its values or cells, or anywhere in its bytes."""
    content = kind.content
    for _ in range(rng.integers(1, 3)):
        if rng.random() < 0.3:
            content = _bytes_damaged(content, rng)
        elif kind.is_signed:
            content = _signed_damaged(content, rng)
        elif kind.is_json:
            with contextlib.suppress(ValueError, RecursionError):
                content = _json_damaged(json.loads(content), rng)
        else:
            content = _cells_damaged(content, rng)
    return content


def _bytes_damaged(content: bytes, rng: np.random.Generator) -> bytes:
    start = int(rng.integers(0, len(content) + 1))
    end = min(start + int(rng.choice([0, 1, 1, 4, 40, 10**6])), len(content))
    piece = BYTES[rng.integers(len(BYTES))]
    if rng.random() < 0.2:  # twice the same
        piece = content[start:end]
        end = start
    return content[:start] + piece + content[end:]


def _cells_damaged(content: bytes, rng: np.random.Generator) -> bytes:
    lines = content.decode(errors="replace").split("\n")
    row = int(rng.integers(len(lines)))
    mark = max((",", ";", " ", "="), key=lines[row].count)
    cells = lines[row].split(mark)
    column = int(rng.integers(len(cells)))
    match rng.integers(4):
        case 0:
            del cells[column]
        case 1:
            cells.insert(column, cells[column])
        case _:
            cells[column] = CELLS[rng.integers(len(CELLS))]
    lines[row] = mark.join(cells)
    return "\n".join(lines).encode()


def _signed_damaged(content: bytes, rng: np.random.Generator) -> bytes:
    lines = content.splitlines(keepends=True)
    if lines:
        row = int(rng.integers(len(lines)))
        with contextlib.suppress(ValueError, RecursionError):
            value = json.loads(_json_damaged(checked_value(lines[row]), rng))
            lines[row] = checked_line(value)
    return b"".join(lines)


def _json_damaged(value: Any, rng: np.random.Generator) -> bytes:
    places: list[tuple[Any, Any]] = []
    waiting = [value]
    while waiting:
        at = waiting.pop()
        inner = (
            at.items() if isinstance(at, dict) else enumerate(at) if isinstance(at, list) else ()
        )
        for key, part in inner:
            places.append((at, key))
            waiting.append(part)
    if places:
        at, key = places[rng.integers(len(places))]
        new = VALUES[rng.integers(len(VALUES))]
        match rng.integers(4):
            case 0:
                del at[key]
            case 1 if isinstance(at, dict):
                at[str(rng.choice(["unknown", "", "alpha", "x" * 5000, "\0", "name"]))] = new
            case _:
                at[key] = new
    return json.dumps(value).encode()


def outcome(arguments: tuple[str, ...]) -> str:
    """Run a command in this process; name how it ended, or "failure" with where it broke."""
    said = io.StringIO()
    try:
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(said):
            code = COMMAND.main(list(arguments), prog_name="htsr", standalone_mode=False)
    except HtsrError as error:
        message = one_line(str(error))
        if "\n" in message or not message.isprintable():
            return f"failure: the error's text {message!r:.200}"
        return "refused"
    except UsageError:
        return "refused"
    except Exception as error:
        where = traceback.extract_tb(error.__traceback__)[-1]
        return f"failure: {error!r:.120} in {where.name} of {Path(where.filename).name}"
    for line in said.getvalue().splitlines():
        if not line.isprintable() or UNFORESEEN in line:
            return f"failure: it says {line!r:.200}"
    return "done" if code in (None, 0) else f"done with {code}"


def try_one(seed: int, made: tuple[Kind, ...], folder: Path) -> list[tuple[str, str]]:
    """Damage one text and run every command that reads it: their names and outcomes."""
    rng = np.random.default_rng(seed)
    kind = made[rng.integers(len(made))]
    return run(kind, damage(kind, rng), folder)


def run(kind: Kind, content: bytes, folder: Path) -> list[tuple[str, str]]:
    """Run every command that reads a text: their names and outcomes."""
    text = os.fsdecode(content)
    if kind.name:
        (folder / kind.name).write_bytes(content)
    found = []
    for arguments in kind.commands:
        given = tuple(part.replace("{}", text) for part in arguments)
        found.append((arguments[0], outcome(given)))
    return found


def main(count: int, seed: int, say: Callable[[str], object] = print) -> int:
    """Try many; print counts by command, and every failure."""
    counts: Counter[tuple[str, str]] = Counter()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        made = kinds(folder)
        for number in range(seed, seed + count):
            for command, found in try_one(number, made, folder):
                if found.startswith("failure") and not counts[command, found]:
                    say(f"{number}: {command}: {found}")
                counts[command, found] += 1
    for (command, found), times in sorted(counts.items()):
        say(f"{times:7} {command}: {found}")
    return int(any(found.startswith("failure") for _, found in counts))


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), int(sys.argv[2])))
