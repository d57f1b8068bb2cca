"""Two trainings on the same cores: see benches/README.md. Prints a table, asserts nothing. Needs nothing but Python.

kfood's workers have the cores in turn. Without a folder for temporary files they can't, and that is the other way: threads of both
wait for each other's cores, spinning as OpenMP has it, or asleep. Each way is timed alone and twice at once, in turn, so that the
machine's drift meets all alike.
"""

import argparse
import json
import os
import re
import statistics
import subprocess
import sys
from pathlib import Path

from peers import machine

PIPELINE = """\
seed = 1

[dataset.dishes]
train = {data}

[split.most]
dataset = "dishes"
validation = 0.02

[preprocess.pixels]
dataset = "dishes"
resize = {{ width = {side}, height = {side} }}

[train.net]
data = "pixels"
split = "most"
arch = "resnet18"
epochs = 1
batch_size = 32
precision = "auto"
optimizer.sgd = {{ lr = 0.001, momentum = 0.9 }}
"""
ENVIRONMENT = ("OMP_WAIT_POLICY", "GOMP_SPINCOUNT")
# Two at once without turns are so slow that fewer steps have to do.
FEWER = 10


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kfood", type=Path, default=Path("target/release/kfood"))
    parser.add_argument("--work", type=Path, default=Path("target/bench/shared"))
    parser.add_argument("--data", type=Path, help="class folders with photographs; generated ones by default")
    parser.add_argument("--side", type=int, default=64, help="of the images; the smaller, the more often threads wait")
    parser.add_argument("--steps", type=int, default=60)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--slow-rounds", type=int, default=1, help="rounds of two at once without turns, which take minutes each")
    options = parser.parse_args()
    options.kfood = options.kfood.resolve()
    options.work.mkdir(parents=True, exist_ok=True)
    if not options.data:
        options.data = options.work / "dishes"
        subprocess.run([options.kfood, "sample", options.data], check=True, stdout=subprocess.DEVNULL)
        options.data = options.data / "train"
    # No folder for temporary files, no turns.
    without = {"TMPDIR": "/nonexistent"}
    ways = {"in turn": {}, "without turns": without, "without turns, asleep": without | {"OMP_WAIT_POLICY": "PASSIVE"}}
    trainings = [Training(options, str(i), options.steps) for i in (1, 2)]
    short = [Training(options, str(i), max(options.steps // FEWER, 2)) for i in (3, 4)]
    alone, both = {name: [] for name in ways}, {name: [] for name in ways}
    for turn in range(options.rounds):
        print(f"round {turn + 1} of {options.rounds}", file=sys.stderr)
        for name, env in ways.items():
            alone[name].append(trainings[0].start(env).rate())
        for name, env in ways.items():
            if name != "in turn" and turn >= options.slow_rounds:
                continue
            running = [training.start(env) for training in (trainings if name == "in turn" else short)]
            both[name].append(sum(run.rate() for run in running))
    show(options, ways, alone, both)


class Training:
    """Steps of one training, in a folder of its own."""

    def __init__(self, options, name: str, steps: int):
        self.program = options.kfood.with_name("kfood-worker")
        self.steps, self.folder = steps, (options.work / name).resolve()
        self.folder.mkdir(parents=True, exist_ok=True)
        file = self.folder / "pipeline.toml"
        data = json.dumps(str(options.data.resolve()), ensure_ascii=False)
        file.write_text(PIPELINE.format(data=data, side=options.side))
        env = os.environ | {"KFOOD_CACHE": str((options.work / "cache").resolve())}
        ask = lambda *words: subprocess.run([options.kfood, *words], env=env, capture_output=True, text=True, check=True).stdout
        ask("run", file, "pixels", "most", "--json")
        stages = {stage: json.loads(ask("explain", file, stage, "--json"))[0] for stage in ("dishes", "pixels", "most", "net")}
        entries = Path(env["KFOOD_CACHE"]) / "entries"
        output = lambda stage, name: str(next((entries / stages[stage]["record"]["key"]).rglob(name)))
        settings = stages["net"]["settings"]  # Never run, so that they stand there in full.
        fit = {
            "data": {"pack": output("pixels", "pixels.pack"), "labels": output("dishes", "labels.json"), "split": output("most", "membership.json"), "fold": None},
            "pixels": settings["pixels"], "training": settings["training"], "start": {"scratch": {"arch": "resnet18", "zero_init_residual": False}},
            "device": "cpu", "threads": len(os.sched_getaffinity(0)), "out": str(self.folder), "state": str(self.folder / "state"),
        }
        (self.folder / "job.json").write_text(json.dumps({"speed": {"fit": fit, "steps": self.steps, "rounds": 1}}))

    def start(self, env: dict) -> "Running":
        clean = {name: value for name, value in os.environ.items() if name not in ENVIRONMENT}
        return Running(self, clean | env)


class Running:
    """A worker at work. Its input stays open until it has ended: the end of it tells a worker that its parent is gone."""

    def __init__(self, training: Training, env: dict):
        self.folder = training.folder
        self.process = subprocess.Popen([training.program, self.folder / "job.json"], env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def rate(self) -> float:
        """Images a second of whole steps, loading and training."""
        said = self.process.stdout.read()
        if self.process.wait() != 0:
            raise SystemExit(f"`kfood-worker` ended with {self.process.returncode}:\n{said}")
        return json.loads((self.folder / "speed.json").read_text())["training"][0]


def show(options, ways, alone, both) -> None:
    print("## Two trainings on the same cores\n")
    for key, value in machine.describe(options.kfood).items():
        print(f"- {key}: {value}")
    print(f"- ResNet-18, batch 32, {options.side} px; {options.steps} steps (a tenth of them for two at once without turns); n = {options.rounds} interleaved rounds, medians (least to most)\n")
    print("| way | alone, images/s | n | two at once, images/s of both | n | as long as one after the other |\n|---|---|---|---|---|---|")
    for name in ways:
        # Two at once take 2 / rate of both; one after the other 2 / rate alone.
        share = statistics.median(a / b for a, b in zip(alone[name], both[name])) if both[name] else float("nan")
        print(f"| {name} | {rates(alone[name])} | {len(alone[name])} | {rates(both[name])} | {len(both[name])} | {share:.2f} times |")
    loss = [a / b for a, b in zip(alone["without turns"], alone["in turn"])]
    print(f"\nAlone, turns cost {100 * (statistics.median(loss) - 1):.1f}% (median of the paired rounds, {100 * (min(loss) - 1):.1f} to {100 * (max(loss) - 1):.1f})")


def rates(found) -> str:
    if not found:
        return "-"
    return f"{statistics.median(found):.0f} ({min(found):.0f}-{max(found):.0f})"


if __name__ == "__main__":
    main()
