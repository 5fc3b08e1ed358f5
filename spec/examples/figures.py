# /// script
# requires-python = ">=3.11"
# dependencies = ["htsr-ref[plot]"]
# ///
"""Figures of the README, drawn from one of the networks beside this file.

fc1.svg      density of the eigenvalues of one layer
model.svg    α by depth

uv run figures.py    # 2 s
"""

from pathlib import Path

from htsr_ref import analyze, open_weights
from htsr_ref.analysis.planning import plan
from htsr_ref.analysis.tail_view import view_matrix
from htsr_ref.plots import density_figure, save_figure, title_lines

FOLDER = Path(__file__).parent


def main() -> None:
    """Draw both figures."""
    weights = open_weights(FOLDER / "mlp_b016_e050.safetensors")
    report = analyze(weights)
    save_figure(report.plot(), FOLDER / "model.svg")
    place = next(i for i, layer in enumerate(report.layers) if layer.name == "fc1")
    found, matrix = report.layers[place].matrices[0], plan(weights)[place].matrices[0]
    title = title_lines(
        f"fc1, {found.N}×{found.M}, of {weights.name}", f"convention {report.convention.name}"
    )
    save_figure(
        density_figure(view_matrix(matrix, found, report.convention), title), FOLDER / "fc1.svg"
    )


if __name__ == "__main__":
    main()
