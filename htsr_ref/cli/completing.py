"""What shells offer after a tab, beyond what typer does by itself."""

from __future__ import annotations

import io
import os
import re
import sys
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING

import typer  # noqa: TC002 - typer reads the annotations

if TYPE_CHECKING:
    from collections.abc import Iterator

_READ_AT_ONCE = (".safetensors", ".h5", ".hdf5", ".npz")
"""Weight files whose header is read without a script for it."""


def layer_names(context: typer.Context, incomplete: str) -> list[str]:
    """Offer the layers of the file that was named before, for LAYER, --include and --exclude."""
    from htsr_ref.errors import HtsrError

    # An option that still lacks its value leaves the words before it unread.
    given = context.params.get("file") or next(iter(context.params.get("files") or ()), None)
    file = given or next(iter(context.args), None)
    if not isinstance(file, str) or not (
        file.lower().endswith(_READ_AT_ONCE) or Path(file).is_dir()
    ):
        return []
    try:
        from htsr_ref.weights import open_weights

        return [
            layer.name
            for layer in open_weights(file, facts_first=True).layers
            if layer.left_out is None and layer.name.startswith(incomplete)
        ]
    except (HtsrError, OSError):
        return []


@contextmanager
def words_of_bash() -> Iterator[None]:
    """Undo that bash cuts words at = and :, so that --set FIELD=VALUE is completed there too.

    Bash replaces only what follows the last such mark; so the offers are printed without what
    precedes it.
    """
    if os.environ.get("_HTSR_COMPLETE") != "complete_bash":
        yield
        return
    words, place, before = rejoined(
        os.environ["COMP_WORDS"].split("\n"), int(os.environ["COMP_CWORD"])
    )
    os.environ["COMP_WORDS"], os.environ["COMP_CWORD"] = "\n".join(words), str(place)
    printed = io.StringIO()
    try:
        with redirect_stdout(printed):
            yield
    finally:
        offers = printed.getvalue().splitlines()
        sys.stdout.write("\n".join(offer.removeprefix(before) for offer in offers))


def rejoined(words: list[str], place: int) -> tuple[list[str], int, str]:
    """Join words that were cut at = and :.

    Parameters
    ----------
    words : of the command line, as bash cuts it.
    place : of the word that is completed.

    Returns
    -------
    The joined words, the place of the one that is completed, and what stands in it before the
    last mark, with the mark.

    >>> rejoined(["htsr", "analyze", "--set", "conv", "=", "sl"], 5)
    (['htsr', 'analyze', '--set', 'conv=sl'], 3, 'conv=')
    """
    joined: list[str] = []
    glue = False
    for word in words[: place + 1]:
        is_mark = word in ("=", ":")
        if joined and (glue or is_mark):
            joined[-1] += word
        else:
            joined.append(word)
        glue = is_mark
    before = re.match(r".*[=:]", joined[-1])
    return joined, len(joined) - 1, before[0] if before else ""
