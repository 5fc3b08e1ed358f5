"""What Markdown pages show: fenced blocks, and commands with what they are said to print."""

import re
import shlex
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from commands import Outcome


@dataclass(frozen=True)
class Step:
    """A line after `$ ` in a `console` block, and the lines that follow it."""

    command: str
    shown: str


def blocks(page: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", page, flags=re.MULTILINE | re.DOTALL)


def steps(page: str) -> Iterator[Step]:
    for block in blocks(page, "console"):
        assert block.startswith("$ "), block
        for step in block.removeprefix("$ ").split("\n$ "):
            command, _, shown = f"{step.rstrip()}\n".partition("\n")
            yield Step(command, shown)


def is_shown(shown: str, outcome: Outcome) -> bool:
    """Whether a page shows what a command has printed; a line `…` stands for any lines."""
    pieces = re.split(r"^…\n", shown, flags=re.MULTILINE)
    pattern = "(?:.*\n)*?".join(map(re.escape, pieces))
    orders = outcome.err + outcome.out, outcome.out + outcome.err
    return any(re.fullmatch(pattern, printed) for printed in orders)


def check(page: str, htsr: Callable[..., Outcome]) -> None:
    """Do in the working directory what a page says; `cat` shows a file that the reader writes."""
    code = 0
    for step in steps(page):
        program, *words = shlex.split(step.command)
        if program == "cat":
            Path(words[0]).write_text(step.shown, encoding="utf-8")
        elif step.command == "echo $?":
            assert step.shown == f"{code}\n"
            code = 0
        else:
            assert program == "htsr", step.command
            assert code == 0, f"a command before {step.command!r} has failed"
            outcome = htsr(
                *(name for word in words for name in sorted(Path().glob(word)) or [word])
            )
            assert is_shown(step.shown, outcome), f"$ {step.command}\n{outcome.out}{outcome.err}"
            code = outcome.code
    assert code == 0
