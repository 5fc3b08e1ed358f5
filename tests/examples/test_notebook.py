"""The example notebook: its cells run, and its outputs are theirs."""

import json
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[2] / "spec" / "examples"


@pytest.mark.slow
@pytest.mark.spec("FIG-9")
def test_every_cell_gives_what_the_notebook_shows(monkeypatch):
    pytest.importorskip("pandas")
    monkeypatch.chdir(FOLDER)
    notebook = json.loads((FOLDER / "notebook.ipynb").read_text(encoding="utf-8"))
    names: dict[str, object] = {}
    shown = []
    for cell in notebook["cells"]:
        if cell["cell_type"] != "code":
            continue
        *statements, last = "".join(cell["source"]).rstrip().split("\n")
        exec("\n".join(statements), names)
        value = eval(last, names)
        [output] = cell["outputs"]
        data = {kind: "".join(text) for kind, text in output["data"].items()}
        shown.append(set(data))
        if "image/png" in data:
            assert value._repr_png_().startswith(b"\x89PNG")
        elif "text/html" in data and not hasattr(value, "iloc"):
            assert data["text/html"] == value._repr_html_()
        elif "text/html" not in data:
            assert data["text/plain"] == repr(value)
    assert sum("image/png" in kinds for kinds in shown) == 2
    assert sum("text/html" in kinds for kinds in shown) == 2
