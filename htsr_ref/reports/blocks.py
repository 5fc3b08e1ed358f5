"""Tables and lines for people, before they become plain text or Markdown."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from htsr_ref.reports.markdown import escape, markdown_table


@dataclass(frozen=True)
class Table:
    """A table of cells.

    Attributes
    ----------
    header, rows : the cells.
    right : columns of numbers, aligned right where the form can.
    """

    header: Sequence[str]
    rows: Sequence[Sequence[str]]
    right: Sequence[int] = ()


@dataclass(frozen=True)
class Lines:
    """Sentences, one a line."""

    texts: Sequence[str]


Block = Table | Lines


def without_empty(blocks: Iterable[Block]) -> list[Block]:
    """Drop tables without rows and groups without a sentence."""
    return [block for block in blocks if (block.rows if isinstance(block, Table) else block.texts)]


def blocks_markdown(title: str, blocks: Iterable[Block]) -> str:
    """Write blocks as Markdown under a heading; numbers in them are rounded for reading.

    Spec: VRD-8.
    """
    lines = [f"# {escape(title)}", ""]
    for block in without_empty(blocks):
        if isinstance(block, Table):
            header = [escape(cell) for cell in block.header]
            lines += markdown_table(header, block.rows)
        else:
            lines += [*(f"- {escape(text)}" for text in block.texts), ""]
    return "\n".join(lines)
