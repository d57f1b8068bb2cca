"""Faults of every kind, each followed by a plain run: nothing wrong may be kept or shown, and nobody has to tidy up. See benches/README.md."""

import argparse
import random
import re
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from peers import machine  # noqa: E402

from faults import FAULTS, NotHere  # noqa: E402
from project import PATIENCE, Hung, Project, Reference  # noqa: E402


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kfood", type=Path, default=Path("target/release/kfood"))
    parser.add_argument("--work", type=Path, help="a folder for the trials; one of memory is the quickest")
    parser.add_argument("--trials", type=int, default=2000)
    parser.add_argument("--seconds", type=float, default=float("inf"), help="no trial begins after so many")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", choices=list(FAULTS), help="one kind of fault")
    parser.add_argument("--pipeline", choices=["light", "whole"], help="without tensors, or all kinds of stages; drawn else")
    options = parser.parse_args()
    memory = Path("/dev/shm")
    work = options.work or Path(tempfile.mkdtemp(prefix="kfood-soak-", dir=memory if memory.is_dir() else None))
    program = options.kfood.resolve()

    began = time.monotonic()
    pipelines = [options.pipeline] if options.pipeline else ["light", "whole"]
    try:
        references = {name: Reference.made(program, work, name) for name in pipelines}
    except Hung as hung:
        raise SystemExit(f"undisturbed, {hung}") from hung
    kinds = [name for name in FAULTS if options.only in (None, name)]
    trials, wrong, skipped, races = Counter(), [], {}, []
    number = 0
    # One at least, however long the references took.
    while number < options.trials and (not number or time.monotonic() - began < options.seconds):
        # Each trial has a seed of its own, by which it is repeated alone: --seed N --trials 1.
        seed = options.seed + number
        draws = random.Random(seed)
        kind = draws.choice(kinds)
        # Most trials are of the quick kind: they reach the same code of the cache.
        pipeline = pipelines[-1] if draws.random() < 0.2 else pipelines[0]
        number += 1
        if kind in skipped:
            continue
        project = Project(program, work / "trial", references[pipeline])
        try:
            told = "it had not happened yet"
            told = FAULTS[kind](project, draws)
            problem = project.says_what_is_wrong() or project.shows_nothing_wrong(draws) or project.heals()
        except Hung as hung:
            problem = str(hung)
        except subprocess.TimeoutExpired:
            problem = f"a disturbed run did not end within {PATIENCE} s"
        except NotHere as why:
            skipped[kind] = str(why)
            continue
        finally:
            project.forget()
        trials[kind] += 1
        if kind == "several at once":
            races.append((told, bool(problem)))
        if problem:
            wrong.append((seed, kind, pipeline, told, problem))
            print(f"seed {seed}: {kind} on {pipeline} ({told}): {problem}", file=sys.stderr)
        elif number % 20 == 0:
            print(f"{number} trials, {len(wrong)} wrong", file=sys.stderr)
    for key, value in machine.describe(options.kfood).items():
        print(f"- {key}: {value}")
    print(f"- seeds {options.seed} to {options.seed + number - 1}, {time.monotonic() - began:.0f} s\n")
    for why in sorted(set(skipped.values())):
        print(f"passed over, as {why}: {', '.join(kind for kind in kinds if skipped.get(kind) == why)}\n")
    print("| fault | trials | wrong |\n|---|---:|---:|")
    for kind in kinds:
        print(f"| {kind} | {trials[kind] or skipped.get(kind, 0)} | {sum(kind == w[1] for w in wrong)} |")
    print(f"| all | {sum(trials.values())} | {len(wrong)} |")
    print_races(races)
    for reference in references.values():
        reference.forget()
    work.joinpath("clock.so").unlink(missing_ok=True)
    work.rmdir()
    sys.exit(1 if wrong or not trials else 0)


def print_races(races: list[tuple[str, bool]]) -> None:
    """The trials of several runs at once, by how many there were."""
    rows = {}
    for told, wrong in races:
        if match := re.fullmatch(r"(\d+) runs, (no gc|gc), (\d+) killed", told):
            row = rows.setdefault((max(4, -(-int(match[1]) // 4) * 4), match[2]), Counter())
            row.update(trials=1, runs=int(match[1]), killed=int(match[3]), wrong=int(wrong))
    if rows:
        print("\n| runs at once | beside `cache gc` | trials | runs | killed | wrong |\n|---|---|---:|---:|---:|---:|")
    for (most, gc), row in sorted(rows.items()):
        print(f"| {max(2, most - 3)} to {most} | {'yes' if gc == 'gc' else 'no'} | {row['trials']} | {row['runs']} | {row['killed']} | {row['wrong']} |")


main()
