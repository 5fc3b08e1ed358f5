"""Tables and lines for people, as plain text and as Markdown."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from htsr_ref.reports.markdown import escape, markdown_table
from htsr_ref.text.layout import Layout
from htsr_ref.text.table import text_table


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


def blocks_text(blocks: Iterable[Block]) -> str:
    """Lay out blocks for where standard output goes, an empty line between them."""
    layout = Layout.here()
    pieces = []
    for block in without_empty(blocks):
        if isinstance(block, Table):
            words = [i for i in range(len(block.header)) if i not in block.right]
            pieces.append(text_table(block.header, block.rows, block.right, words, layout))
        else:
            pieces.append(layout.prose(block.texts))
    return "\n\n".join(pieces) + "\n"


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
