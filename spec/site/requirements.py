"""Requirements of the specification as places to link to.

The heading `### PL-3 The KS distance` gets the anchor `PL-3`, and wherever a page or a docstring
names PL-3, the name leads there.
"""

import re
from typing import Any

from docutils import nodes
from sphinx.transforms import SphinxTransform
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx.util.nodes import make_refnode

ID = re.compile(r"(?<![\w-])([A-Z]{2,3}-\d+|F-[A-Z]+-\d+)(?![\w-])")
APART = (nodes.title, nodes.literal, nodes.literal_block, nodes.reference)
"""What holds text that is left as it is."""


class Anchors(SphinxTransform):
    """Give each requirement's heading its ID as an anchor, and Sphinx a label for it."""

    default_priority = 500

    def apply(self, **_: Any) -> None:
        """Look at the headings of a page."""
        labels = self.env.domains.standard_domain.anonlabels
        for section in self.document.findall(nodes.section):
            found = ID.match(section[0].astext())
            if found:
                section["ids"].insert(0, found[1])
                labels[found[1].lower()] = self.env.current_document.docname, found[1]


class Links(SphinxPostTransform):
    """Make links of the IDs in the text of a page."""

    default_priority = 5

    def run(self, **_: Any) -> None:
        """Look at the text that is no heading, code or link."""
        labels = self.env.domains.standard_domain.anonlabels
        here = self.env.current_document.docname
        for text in list(self.document.findall(nodes.Text)):
            pieces = ID.split(text)
            if len(pieces) == 1 or isinstance(text.parent, APART):
                continue
            linked: list[Any] = []
            for piece in pieces:
                linked.append(nodes.Text(piece))
                if piece.lower() in labels:
                    to, builder = labels[piece.lower()], self.app.builder
                    linked[-1] = make_refnode(builder, here, *to, linked[-1])
                    linked[-1]["classes"].append("requirement")
            text.parent.replace(text, linked)


def setup(app: Any) -> dict[str, bool]:
    """Tell Sphinx."""
    app.add_transform(Anchors)
    app.add_post_transform(Links)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
