"""Hold many random networks to their models, in parallel: `python -m tests.fuzz_networks -n 2000 --seed 0`.

The golden model of each network, of the seeds from `--seed` on, is compared with an executor of the model;
`--rtl` of them go through C simulation and RTL simulation with stalls as well. Exit code 1: some fail. What
fails is made smaller and kept in `build/fuzz`, a model, its frames and its description by each seed.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from rich.console import Console

from tests.fuzz_networks.outcome import Outcome, fuzz
from tests.fuzz_networks.simulate import simulate
from tests.many import Work, announced_seeds, found_in, option_parser

KEPT = Path("build", "fuzz")
_BATCH = 10


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; 0 if no network fails."""
    options = _parser().parse_args(arguments)
    console = Console(soft_wrap=True, highlight=False, markup=False)
    seeds = announced_seeds(options, "fuzz-networks", "networks", console)
    begin = time.monotonic()
    outcomes = _all(seeds, options, console)
    seconds = time.monotonic() - begin
    _tell(outcomes, console, options.coverage)
    failed = sorted(outcome.seed for outcome in outcomes if outcome.failed)
    console.print(
        f"fuzz-networks: {len(failed)} of {len(seeds)} networks fail; "
        f"{seconds:.0f} s, {1000 * seconds / max(1, len(seeds)):.0f} ms each"
    )
    if failed:
        console.print(f"fuzz-networks: seeds {' '.join(map(str, failed))}; they are kept in {options.output}")
        console.print("fuzz-networks: again: python -m tests.fuzz_networks -n 1 --verified-of 1 --seed SEED")
    return 1 if failed else 0


def _parser() -> argparse.ArgumentParser:
    parser = option_parser("tests.fuzz_networks", __doc__, 2000, "the number of networks")
    parser.add_argument("--rtl", type=int, default=0, help="networks that are simulated in C and RTL as well")
    parser.add_argument(
        "--verified-of",
        type=int,
        default=4,
        help="one network of so many is held to a build's own verification as well; 0: none",
    )
    parser.add_argument(
        "--coverage", action="store_true", help="tell how often each operator and form occurs"
    )
    parser.add_argument("--output", type=Path, default=KEPT, help="where failures are kept")
    return parser


def _all(seeds: Sequence[int], options: argparse.Namespace, console: Console) -> list[Outcome]:
    found: list[Outcome] = []
    works = [
        Work(partial(_checked, options.output, options.verified_of), seeds, _BATCH),
        Work(partial(_simulated, options.output), seeds[: options.rtl], 1),
    ]
    for outcome in found_in(works, options.jobs, console, "networks"):
        if outcome.failed:
            console.print(f"seed {outcome.seed} {outcome.verdict.kind}: {outcome.summary}")
        found.append(outcome)
    return sorted(found, key=lambda outcome: outcome.seed)


def _checked(folder: Path, verified_of: int, seeds: Sequence[int]) -> list[Outcome]:
    return [fuzz(seed, folder, verified_of) for seed in seeds]


def _simulated(folder: Path, seeds: Sequence[int]) -> list[Outcome]:
    return [simulate(seed, folder) for seed in seeds]


def _tell(outcomes: Sequence[Outcome], console: Console, coverage: bool) -> None:
    """Counts of verdicts, of refusals by message, and of everything that occurred."""
    kinds = Counter(outcome.verdict.kind for outcome in outcomes)
    refused: dict[str, list[int]] = defaultdict(list)
    labels: Counter[str] = Counter()
    for outcome in outcomes:
        if outcome.verdict.kind == "refused":
            refused[outcome.verdict.what].append(outcome.seed)
        else:
            labels.update(dict.fromkeys(outcome.verdict.labels, 1))
    if coverage:
        console.print("networks that were built, by what they have:")
        for label, count in sorted(labels.items()):
            console.print(f"  {count:5}  {label}")
    if refused:
        console.print("refused:")
        for what, seeds in sorted(refused.items(), key=lambda item: -len(item[1])):
            console.print(f"  {len(seeds):5}  {what} (seed {seeds[0]})")
    console.print("fuzz-networks: " + ", ".join(f"{count} {kind}" for kind, count in kinds.most_common()))


if __name__ == "__main__":
    sys.exit(main())
