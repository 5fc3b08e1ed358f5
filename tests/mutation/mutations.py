"""Ways to break the core on purpose, each of which a test must notice.

    python tests/mutation/mutations.py [NAME ...]    # about a minute each; prints a table

Every mutation changes one text of one file in a temporary copy of the repository and runs the
property suite there, and the other tests if no property fails.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
SHOWN = 3
"""Failing tests after which a run stops."""


@dataclass(frozen=True)
class Mutation:
    """One wrong text in place of a right one, which occurs once in its file."""

    name: str
    file: str
    right: str
    wrong: str


MUTATIONS = (
    Mutation(
        "drop the 1/N",
        "htsr_ref/layers/normalization.py",
        '"1/N": lambda matrix: 1.0 / matrix.N',
        '"1/N": lambda matrix: 1.0',
    ),
    Mutation(
        "one-sided KS for two-sided",
        "htsr_ref/powerlaw/ks.py",
        'if kind == "two-sided":',
        "if not kind:",
    ),
    Mutation(
        "n - 1 points in alpha",
        "htsr_ref/powerlaw/mle.py",
        "return 1.0 + log_ratios.size /",
        "return 1.0 + (log_ratios.size - 1) /",
    ),
    Mutation(
        "tail without its first point",
        "htsr_ref/powerlaw/plain.py",
        "log_ratios = logs[start:] - logs[start]",
        "log_ratios = logs[start + 1 :] - logs[start]",
    ),
    Mutation(
        "ln for log10 in alpha-hat",
        "htsr_ref/metrics.py",
        '{"10": math.log10,',
        '{"10": math.log,',
    ),
    Mutation(
        "ln for log10 in the norm",
        "htsr_ref/metrics.py",
        "return 0.5 * (math.log10(float(eigenvalues.sum())) - math.log10(scale))",
        "return 0.5 * (math.log(float(eigenvalues.sum())) - math.log(scale))",
    ),
    Mutation(
        "squared norm",
        "htsr_ref/metrics.py",
        "return 0.5 * (math.log10(float(eigenvalues.sum()))",
        "return 1.0 * (math.log10(float(eigenvalues.sum()))",
    ),
    Mutation(
        "transpose",
        "htsr_ref/layers/matrices.py",
        "transposed=out < in_",
        "transposed=out > in_",
    ),
    Mutation(
        "1/M for 1/N, as if transposed",
        "htsr_ref/layers/normalization.py",
        '"1/N": lambda matrix: 1.0 / matrix.N',
        '"1/N": lambda matrix: 1.0 / matrix.M',
    ),
    Mutation(
        "M - 1 eigenvalues",
        "htsr_ref/spectra/eigenvalues.py",
        "eigenvalues = solved.eigenvalues * scale",
        "eigenvalues = solved.eigenvalues[min(1, matrix.M - 1) :] * scale",
    ),
    Mutation(
        "pooled slices",
        "htsr_ref/layers/cuts.py",
        '"slices": _slices,',
        '"slices": _pooled,',
    ),
    Mutation(
        "divisor n - 1 in the standard error",
        "htsr_ref/powerlaw/distributions/power_law.py",
        "math.sqrt(tail_size)",
        "math.sqrt(tail_size - 1)",
    ),
    Mutation(
        "sample variance in Vuong's test",
        "htsr_ref/powerlaw/comparison.py",
        "differences.std()",
        "differences.std(ddof=1)",
    ),
    Mutation(
        "> for ≥ at a given xmin",
        "htsr_ref/powerlaw/fit.py",
        "np.searchsorted(x, xmin)",
        'np.searchsorted(x, xmin, side="right")',
    ),
    Mutation(
        "≥ for > at min_dim",
        "htsr_ref/analysis/planning.py",
        "convention.min_dim > matrix.M",
        "convention.min_dim >= matrix.M",
    ),
    Mutation(
        "≤ for < among equal distances",
        "htsr_ref/powerlaw/plain.py",
        "trial.ks_distance < best.ks_distance",
        "trial.ks_distance <= best.ks_distance",
    ),
)


def mutated(mutation: Mutation, root: Path = ROOT) -> str:
    """Text of the mutation's file with the wrong text in place.

    Raises
    ------
    ValueError
        The right text does not occur exactly once.
    """
    text = (root / mutation.file).read_text(encoding="utf-8")
    count = text.count(mutation.right)
    if count != 1:
        raise ValueError(f"{mutation.name}: {mutation.right!r} occurs {count} times")
    return text.replace(mutation.right, mutation.wrong)


def caught_by(mutation: Mutation) -> list[str]:
    """Run the tests against a mutated copy; return the first that fail."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder, "copy")
        ignored = shutil.ignore_patterns(".git", ".*cache", ".hypothesis", "__pycache__")
        shutil.copytree(ROOT, copy, ignore=ignored)
        (copy / mutation.file).write_text(mutated(mutation), encoding="utf-8")
        return failures(copy, "tests/properties") or failures(copy, "tests", "htsr_ref")


def failures(root: Path, *paths: str) -> list[str]:
    """Run pytest in a folder; return the first tests that fail."""
    options = ["-q", "-rfE", "-p", "no:cacheprovider", "--hypothesis-profile=mutation"]
    options += ["-m", "not peers and not frameworks"]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *options, f"--maxfail={SHOWN}", *paths],
        cwd=root,
        env={**os.environ, "PYTHONPATH": str(root)},
        capture_output=True,
        text=True,
    )
    if done.returncode not in (0, 1):
        raise RuntimeError(f"pytest failed:\n{done.stdout}{done.stderr}")
    return re.findall(r"^(?:FAILED|ERROR) (.+?)(?: - |$)", done.stdout, re.M)


def main() -> None:
    """Print a table of the mutations and the tests that catch them; exit with 1 if one escapes."""
    names = sys.argv[1:] or [mutation.name for mutation in MUTATIONS]
    chosen = [mutation for mutation in MUTATIONS if mutation.name in names]
    if len(chosen) != len(names):
        sys.exit(f"the mutations are: {', '.join(mutation.name for mutation in MUTATIONS)}")
    if failures(ROOT, "tests/properties"):
        sys.exit("the property suite fails without any mutation")
    print("| mutation | file | caught by |\n|---|---|---|")
    escaped = False
    for mutation in chosen:
        tests = caught_by(mutation)
        escaped |= not tests
        shown = "<br>".join(f"`{test.removeprefix('tests/')}`" for test in tests)
        print(f"| {mutation.name} | `{mutation.file}` | {shown or '**nothing**'} |", flush=True)
    sys.exit(escaped)


if __name__ == "__main__":
    main()
