"""What an audit costs compared with an analysis: one spectrum for all conventions on the path."""

import argparse
import tempfile
import time
from pathlib import Path

import numpy as np
from timing import circumstances, interleaved

from htsr_ref import analyze
from htsr_ref.audits import SharedSpectra, audit_table, read_table
from htsr_ref.conventions import CONVENTIONS
from htsr_ref.weights import Weights, open_weights

GOAL = 1.5
LAYERS = 6 * [(768, 768)] * 3 + 3 * [(3072, 768), (768, 3072)]


def model(shapes: list[tuple[int, int]]) -> dict[str, np.ndarray]:
    """Heavy-tailed linear layers."""
    rng = np.random.default_rng(0)
    return {
        f"layer{i}.weight": rng.standard_t(3, shape).astype(np.float32)
        for i, shape in enumerate(shapes)
    }


def contestants(weights: Weights, name: str, solver: str, folder: Path):
    """The analysis under a convention, and the audit of what it gives."""
    convention = CONVENTIONS[name]
    table = folder / f"{name}.json"
    table.write_text(analyze(weights, convention, solver=solver).to_json())
    theirs = read_table(table)
    return {
        "analysis": lambda: analyze(weights, convention, solver=solver),
        "audit": lambda: audit_table(SharedSpectra(weights, theirs.solver), theirs, convention),
    }


def main() -> None:
    """Print the ratio for every convention."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--layers", type=int, default=len(LAYERS), help="how many of them")
    parser.add_argument("--solver", choices=("auto", "gram", "svd"), default="auto")
    parser.add_argument(
        "--conventions", nargs="*", default=["weightwatcher-0.7.7", "weightwatcher-0.2.7"]
    )
    options = parser.parse_args()
    print(circumstances())
    shapes = LAYERS[-options.layers :]
    weights = open_weights(model(shapes))
    print(f"{len(shapes)} layers, solver {options.solver}; goal: ≤ {GOAL} × the analysis\n")
    with tempfile.TemporaryDirectory() as folder:
        for name in options.conventions:
            runs = contestants(weights, name, options.solver, Path(folder))
            times = interleaved(runs, options.repeat, clock=time.process_time)
            assert times["audit"].result.counts["unexplained"] == 0
            ratio = times["audit"].over(times["analysis"])
            verdict = "met" if ratio <= GOAL else "MISSED"
            print(
                f"{name:16} {len(times['audit'].result.path):2} choices  "
                f"analysis {times['analysis'].median:7.2f} s  audit {times['audit'].median:7.2f} s"
                f"  ratio {ratio:.2f}  {verdict}"
            )


if __name__ == "__main__":
    main()
