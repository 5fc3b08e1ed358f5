"""The xmin search: against other tools, at growing sizes, and on inputs made to defeat it."""

import argparse
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
from search_inputs import ADVERSARIAL, ORDINARY, Sample, pareto, pareto_quantiles, structured
from search_peers import Tool, installed_peers
from timing import Timing, circumstances, interleaved

from htsr_ref.powerlaw import KsKind, TailFit, fit_power_law
from htsr_ref.powerlaw.distributions import PowerLaw
from htsr_ref.powerlaw.fit import relative_logs
from htsr_ref.powerlaw.plain import candidate_starts, fit_tail, search_plain
from htsr_ref.powerlaw.pruned import search_pruned

LIMIT = 60.0
"""A tool that would take more seconds is skipped."""
PATIENCE = 3.0
"""A tool that takes more seconds gets one turn."""
timed = partial(interleaved, clock=time.process_time)
"""All searches run in one thread."""
PEER_GOALS = {
    ("WeightWatcher", 2048): 25.0,
    ("powerlaw", 2048): 1000.0,
    ("plfit", 2048): 1.5,
    ("WeightWatcher", 8192): 100.0,
    ("plfit", 8192): 8.0,
    ("plfit", 32768): 60.0,
}
EXPONENT_GOAL, HARD_GOAL, ADVERSARIAL_GOAL = 1.15, 10.0, 1.2
KINDS: tuple[KsKind, KsKind] = ("two-sided", "one-sided")


@dataclass(frozen=True)
class Searchable:
    """A sample as the searches take it: ascending, with logarithms."""

    sample: Sample
    logs: Sample

    @classmethod
    def of(cls, values: Sample) -> "Searchable":
        """Prepare a sample as `fit_power_law` does."""
        ascending = np.sort(values)
        return cls(ascending, relative_logs(ascending))

    def pruned(self, ks: KsKind) -> TailFit[PowerLaw] | None:
        """Search as the package does."""
        return search_pruned(self.sample, self.logs, candidate_starts(self.sample), ks)

    def plain(self, ks: KsKind) -> TailFit[PowerLaw] | None:
        """Search as the paper says."""
        fit = partial(fit_tail, self.sample, self.logs, ks=ks, renormalized=False)
        return search_plain(candidate_starts(self.sample).tolist(), fit)


def _xmin(found: TailFit[PowerLaw] | None) -> float:
    assert found is not None
    return found.xmin


def _verdict(met: bool) -> str:
    return "met" if met else "MISSED"


def against_peers(turns: int, sizes: Sequence[int]) -> None:
    """Print the times of all tools on the same samples.

    The yardstick is `fit_power_law`, which like the others takes an unsorted sample.
    """
    print("\nOther tools: one-sided KS; medians; × = seconds relative to fit_power_law\n")
    print(f"{'n':>6} {'sample':<17} {'tool':<18} {'seconds':>10} {'×':>9}  goal")
    peers = installed_peers()
    for kind, draw in ORDINARY.items():
        # Seconds per n², as all of them are quadratic.
        rates = dict.fromkeys(peers, 0.0)
        for n in sizes:
            able = {name: fit for name, fit in peers.items() if rates[name] * n**2 <= LIMIT}
            times = _race(draw(n), able, turns)
            _print_times(n, kind, times)
            for name in peers.keys() - able.keys():
                seconds = rates[name] * n**2
                print(f"{n:6} {kind:<17} {name:<18} skipped, {seconds:.0f} s expected")
            rates |= {name: times[name].least / n**2 for name in able}


def _race(values: Sample, peers: Mapping[str, Tool], turns: int) -> dict[str, Timing]:
    """Time our searches and the peers; all return xmin."""
    prepared = Searchable.of(values)
    tools: dict[str, Callable[[], Any]] = {
        "fit_power_law": lambda: fit_power_law(values, ks="one-sided").xmin,
        "search_pruned": lambda: _xmin(prepared.pruned("one-sided")),
        "search_plain": lambda: _xmin(prepared.plain("one-sided")),
    }
    tools |= {name: partial(fit, values) for name, fit in peers.items()}
    return timed(tools, turns, patience=PATIENCE)


def _print_times(n: int, kind: str, times: dict[str, Timing]) -> None:
    one, four = times.get("plfit + 1 replica"), times.get("plfit + 4 replicas")
    if one and four:
        alone = tuple(a - (b - a) / 3 for a, b in zip(one.seconds, four.seconds, strict=False))
        times = times | {"plfit": replace(one, seconds=alone)}
    ours = times["fit_power_law"]
    for name, timing in times.items():
        ratio, goal = timing.over(ours), PEER_GOALS.get((name, n))
        remark = "" if goal is None else f"{goal:g} {_verdict(ratio >= goal)}"
        if abs(timing.result / ours.result - 1) > 1e-12:
            remark += "  chooses another xmin"
        print(
            f"{n:6} {kind:<17} {name:<18} {timing.median:10.5f} {ratio:9.4g}  {remark}", flush=True
        )


def growth(turns: int) -> None:
    """Print how the time of the search grows from n = 10⁴ to 10⁶.

    Some samples are easier than others of their kind: each time is that of three.
    """
    print(
        f"\nGrowth of search_pruned: seconds for three samples, the least of {turns} turns;", end=""
    )
    print(f" goal: exponent at most {EXPONENT_GOAL}\n")
    sizes = [10**4, 31_623, 10**5, 316_228, 10**6]
    print(f"{'sample':<17} {'ks':<10}", *(f"{n:>9}" for n in sizes), " exponent")
    for kind, draw in ORDINARY.items():
        samples = {n: [Searchable.of(draw(n, seed)) for seed in range(3)] for n in sizes}
        for ks in KINDS:
            runs = {str(n): partial(_search_all, samples[n], ks) for n in sizes}
            least = [timing.least for timing in timed(runs, turns).values()]
            exponent = float(np.polyfit(np.log(sizes), np.log(least), 1)[0])
            print(f"{kind:<17} {ks:<10}", *(f"{value:9.4f}" for value in least), end="")
            print(f" {exponent:9.2f} {_verdict(exponent <= EXPONENT_GOAL)}", flush=True)


def _search_all(samples: Sequence[Searchable], ks: KsKind) -> None:
    for sample in samples:
        sample.pruned(ks)


def hard_case(turns: int) -> None:
    """Print what the exact quantiles of a power law cost, compared with a sample of it."""
    n = 10**5
    hard, easy = Searchable.of(pareto_quantiles(n)), Searchable.of(pareto(n))
    runs = {"hard": partial(hard.pruned, "two-sided"), "easy": partial(easy.pruned, "two-sided")}
    times = timed(runs, turns)
    ratio = times["hard"].over(times["easy"])
    print(f"\nQuantiles of a power law, n = {n}, two-sided: {times['hard'].median:.3f} s;")
    print(f"a Pareto sample: {times['easy'].median:.3f} s; ratio {ratio:.1f}, ", end="")
    print(f"goal at most {HARD_GOAL:g}: {_verdict(ratio <= HARD_GOAL)}")


def adversarial(turns: int, count: int) -> None:
    """Print where the search gains least on, or loses to, the plain one."""
    print(
        f"\nsearch_pruned / search_plain, least of {turns} turns (suspects: {5 * turns});", end=""
    )
    print(f" goal: at most {ADVERSARIAL_GOAL}\n")
    ratios = {}
    for name, n, sample in _hostile_inputs(count):
        searchable = Searchable.of(sample)
        for ks in KINDS:
            ratio = _pruned_over_plain(searchable, ks, turns)
            if ratio > 0.9 * ADVERSARIAL_GOAL:
                ratio = min(ratio, _pruned_over_plain(searchable, ks, 5 * turns))
            ratios[f"{name}, n = {n}, {ks}"] = ratio
    worst = sorted(ratios, key=lambda case: -ratios[case])
    for case in worst[:10]:
        print(f"{ratios[case]:6.2f}  {case}")
    print(f"median {np.median(list(ratios.values())):.2f} of {len(ratios)} cases; ", end="")
    print(f"worst {ratios[worst[0]]:.2f}: {_verdict(ratios[worst[0]] <= ADVERSARIAL_GOAL)}")


def _hostile_inputs(count: int) -> Iterator[tuple[str, int, Sample]]:
    for n in (50, 64, 80, 100, 150, 200, 500, 1000, 2000):
        for name, make in (ADVERSARIAL | ORDINARY).items():
            yield name, n, make(n)
        for name, sample in structured(n, count):
            yield name, n, sample


def _pruned_over_plain(searchable: Searchable, ks: KsKind, turns: int) -> float:
    runs = {"pruned": partial(searchable.pruned, ks), "plain": partial(searchable.plain, ks)}
    times = timed(runs, turns)
    assert times["pruned"].result == times["plain"].result, "the searches disagree"
    return times["pruned"].least / times["plain"].least


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parts = ("peers", "growth", "hard", "adversarial")
    parser.add_argument("--only", nargs="+", choices=parts, default=parts)
    parser.add_argument("--repeat", type=int, default=5, help="turns")
    parser.add_argument("--sizes", nargs="+", type=int, default=[2048, 8192, 32768])
    parser.add_argument("--structured", type=int, default=20, help="random inputs of each size")
    arguments = parser.parse_args()

    print(circumstances())
    if "peers" in arguments.only:
        against_peers(arguments.repeat, arguments.sizes)
    if "growth" in arguments.only:
        growth(arguments.repeat)
    if "hard" in arguments.only:
        hard_case(arguments.repeat)
    if "adversarial" in arguments.only:
        adversarial(arguments.repeat, arguments.structured)


if __name__ == "__main__":
    main()
