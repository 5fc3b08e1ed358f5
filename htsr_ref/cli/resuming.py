"""The journal beside an output: what an interrupted run has finished, and how to go on with it."""

from __future__ import annotations

import shlex
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from htsr_ref.cli import output
from htsr_ref.errors import ChangedWeightsError, HtsrError
from htsr_ref.text.lines import count

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from htsr_ref.analysis.journal import Journal
    from htsr_ref.weights import Weights


@contextmanager
def journal_beside(
    out: Path | None,
    weights: Weights,
    options: Mapping[str, Any],
    *,
    resume: bool,
    names_command: bool = True,
) -> Iterator[Journal | None]:
    """Keep a journal until the block has written the output; none without a file as output.

    If the block ends before, whatever ends it, what is kept is said, and the command that goes on
    with it unless the caller names one.

    Spec: SCL-9, SCL-11.
    """
    from htsr_ref.weights.outputs import target_of

    target = None if out is None else target_of(out)
    if target is None:
        if resume:
            raise HtsrError("--resume goes on with the journal beside a file. Name it with -o")
        yield None
        return
    from htsr_ref.analysis.agreement import agreement
    from htsr_ref.analysis.journal import open_journal

    path = target.with_name(f"{target.name}.journal")
    with open_journal(path, agreement(weights, options), resume=resume) as journal:
        try:
            yield journal
        except ChangedWeightsError:
            raise  # There is nothing to go on with.
        except BaseException:
            if journal.count:
                held = f"{count(journal.count, 'finished layer')} kept in {journal.path}"
                output.fail(f"{held}. {go_on('--resume')}" if names_command else held)
            raise
        journal.remove()


def go_on(*flags: str) -> str:
    """Name the command that goes on: the one that is at work, with these flags."""
    words = sys.argv[1:]
    end = words.index("--") if "--" in words else len(words)  # What follows it is no flag.
    options = [word for word in words[:end] if word not in flags]
    return f"Go on with: {shlex.join(['htsr', *options, *flags, *words[end:]])}"
