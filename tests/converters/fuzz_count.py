"""Count how damaged copies of fixtures end: `fuzz_count.py COPIES [FIRST [SCRIPT...]]`.

The same copies as in test_fuzz.py, each by its number; of all scripts, or those named without .py.
Prints a table: converted, refused, and what must not be, tracebacks, hangs (more than 10 s of
processor time), lack of memory, and code run.
"""

import importlib
import shutil
import sys
import tempfile
import warnings
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "converters"))
sys.path.insert(0, str(Path(__file__).parents[1]))
sys.path.insert(0, str(Path(__file__).parents[2]))
import numpy as np
from conversions import convert
from cpu import TooLong, cpu_limit
from damaged_files import CASES, RUNS_CODE, SECONDS, damage, events, limited_memory

COLUMNS = ("files", "converted", "refused", "tracebacks", "hangs", "memory", "code run")


def outcome(converter, copy: Path, output: Path, number: int) -> str:
    """How one damaged file ends."""
    damage(copy, np.random.default_rng(number))
    events.clear()
    try:
        with cpu_limit(SECONDS), limited_memory(), warnings.catch_warnings():
            warnings.simplefilter("error")
            run = convert(converter, copy, "-o", output)
    except TooLong:
        return "hangs"
    except Exception as error:
        sys.stderr.write(f"{copy.name} {number}: {error!r}\n")
        return "tracebacks"
    if any(event.startswith(RUNS_CODE) for event in events):
        sys.stderr.write(f"{copy.name} {number}: {events}\n")
        return "code run"
    if "not enough memory" in run.err:
        return "memory"
    return "converted" if run.code == 0 else "refused"


def main(copies: int, first: int, scripts: list[str]) -> None:
    """Damage, convert, count and print."""
    counts: dict[str, Counter[str]] = {}
    # Those whose structure another process reads are last, as they take longest.
    for module, path in sorted(CASES, key=lambda case: case[0] == "keras_files"):
        if scripts and module not in scripts:
            continue
        converter = importlib.import_module(module)
        counted = counts.setdefault(module, Counter())
        with tempfile.TemporaryDirectory() as folder:
            copy, output = Path(folder) / path.name, Path(folder) / "out.safetensors"
            convert(converter, path, "-o", output)
            for number in range(first, first + copies):
                if path.is_dir():
                    shutil.rmtree(copy, ignore_errors=True)
                    shutil.copytree(path, copy)
                else:
                    shutil.copyfile(path, copy)
                counted[outcome(converter, copy, output, number)] += 1
                counted["files"] += 1
                output.unlink(missing_ok=True)
        sys.stderr.write(f"{module} {path.name} {dict(counted)}\n")
    total = sum(counts.values(), Counter())
    print("| script | " + " | ".join(COLUMNS) + " |")
    print("|---" * (len(COLUMNS) + 1) + "|")
    for name, counted in [*counts.items(), ("all", total)]:
        print(f"| {name} | " + " | ".join(str(counted[column]) for column in COLUMNS) + " |")


if __name__ == "__main__":
    main(int(sys.argv[1]), int((sys.argv[2:] or [1000])[0]), sys.argv[3:])
