"""Settings of Sphinx for the documentation site: see CONTRIBUTING.md.

The whole repository is the source folder, so that links between pages are those of its files.
"""

import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parents[1])]

import generated  # noqa: E402 - lies beside this file

from htsr_ref import __version__  # noqa: E402 - the checkout, not what is installed

project = "htsr-ref"
version = release = __version__
root_doc = "spec/site/index"
include_patterns = [
    "spec/*.md",
    "spec/**/*.md",
    "converters/README.md",
    "htsr_ref/README.md",
    "tests/mutation/README.md",
    "tests/text/README.md",
    "CONTRIBUTING.md",
    "CHANGELOG.md",
]
exclude_patterns = ["spec/site/build", "**/.*"]
extensions = [
    "myst_parser",
    "numpydoc",
    "sphinx.ext.autodoc",
    "requirements",
    "docstrings",
]

myst_enable_extensions = ["deflist", "substitution"]
myst_heading_anchors = 4
myst_substitutions = generated.texts()

add_module_names = False
autodoc_member_order = "bysource"
autodoc_preserve_defaults = True
suppress_warnings = ["myst.header"]
"""The specification has no headings of the second level in some chapters."""
nitpick_ignore_regex = [("py:class", r"(?!htsr_ref\.[A-Z]).*")]
"""Types in signatures that are of other packages, aliases, or not public."""
numpydoc_class_members_toctree = False
numpydoc_show_class_members = False
python_maximum_signature_line_length = 88
toc_object_entries_show_parents = "hide"

smartquotes = False
html_copy_source = False
html_extra_path = ["redirect"]
html_show_copyright = False
html_static_path = ["static"]
html_css_files = ["site.css"]
html_theme = "furo"
html_theme_options = {"light_css_variables": {"code-font-size": "75%"}}
html_title = f"htsr-ref {version}"
