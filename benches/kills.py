"""Kills a training at random moments, lets it go on, and compares every bit with an unbroken one. See benches/README.md."""

import argparse
import hashlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

from PIL import Image

from peers import machine
from peers.program import children

CLASSES, SIDE = 4, 64
PIPELINE = """\
seed = 7
[dataset.noise]
train = "data"
[preprocess.pixels]
dataset = "noise"
resize = {{ width = {side}, height = {side} }}
[split.holdout]
dataset = "noise"
[train.net]
data = "pixels"
split = "holdout"
arch = "resnet18"
epochs = {epochs}
batch_size = 8
optimizer.sgd = {{ lr = 0.01, momentum = 0.9 }}
schedule.step = {{ step_size = 2, gamma = 0.5 }}
augment = [{{ random_rotation = 15 }}, {{ random_horizontal_flip = 0.5 }}]
normalize = "dataset"
save = {{ every = "1s" }}
"""
OUTPUTS = ["best.safetensors", "last.safetensors", "history.json", "state/optimizer.safetensors"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kfood", type=Path, default=Path("target/release/kfood"))
    parser.add_argument("--work", type=Path, default=Path("target/bench"))
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--each", type=int, default=1, help="kills of one training before it may end")
    parser.add_argument("--images", type=int, default=400)
    parser.add_argument("--epochs", type=int, default=6)
    parser.add_argument("--shorter", type=int, help="epochs of a training that is then made one of --epochs; two less else")
    parser.add_argument("--seed", type=int, default=1, help="of the moments")
    options = parser.parse_args()
    folder = options.work / "kills"
    shutil.rmtree(folder, ignore_errors=True)
    generate(folder / "data", options.images)
    draws = random.Random(options.seed)
    program = options.kfood.resolve()

    began = time.perf_counter()
    whole = Training(program, folder, "whole", options.epochs)
    unbroken = whole.finish()
    seconds = time.perf_counter() - began
    cold = Training(program, folder, "cold", options.epochs).finish() == unbroken

    first = options.shorter or options.epochs - 2
    Training(program, folder, "longer", first).finish()
    longer = Training(program, folder, "longer", options.epochs)
    extended = longer.finish() == unbroken and "of an earlier result" in longer.said

    kills = within = trainings = equal = 0
    while kills < options.kills:
        training = Training(program, folder, "killed", options.epochs)
        for _ in range(min(options.each, options.kills - kills)):
            # A kill that comes after the end is none: the next moment is drawn for a training from its start.
            if training.kill(draws.uniform(0, seconds / options.each), draws.random() < 0.5):
                kills += 1
            else:
                break
        else:
            trainings += 1
            equal += training.finish() == unbroken
            within += "goes on after step" in training.said
            print(f"{kills} kills, {equal} of {trainings} equal", file=sys.stderr)
        training.forget()

    for key, value in machine.describe(options.kfood).items():
        print(f"- {key}: {value}")
    print(f"- a training of {options.epochs} epochs: {seconds:.1f} s unbroken; moments drawn with seed {options.seed}\n")
    print(f"- two cold runs: {'bit-equal' if cold else 'DIFFERENT'}")
    print(f"- {first} epochs gone on with to {options.epochs}: {'equal to an unbroken one' if extended else 'DIFFERENT'}")
    if kills:
        print(f"- {kills} kills of {trainings} trainings, {within} of them last gone on with within an epoch: {equal} of {trainings} bit-equal")
    shutil.rmtree(folder, ignore_errors=True)
    sys.exit(0 if cold and extended and equal == trainings else 1)


class Training:
    """One training in a project folder that all share, with a cache of its own."""

    def __init__(self, program: Path, folder: Path, name: str, epochs: int):
        self.program, self.folder, self.cache, self.epochs = program, folder, folder / name, epochs
        self.said = ""
        folder.joinpath("pipeline.toml").write_text(PIPELINE.format(side=SIDE, epochs=epochs))

    def start(self) -> subprocess.Popen:
        env = os.environ | {"KFOOD_CACHE": str(self.cache.resolve())}
        command = [self.program, "run", "pipeline.toml", "--device", "cpu"]
        return subprocess.Popen(command, cwd=self.folder, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)

    def finish(self) -> list[str]:
        """The digests of what it ends with."""
        child = self.start()
        self.said = child.communicate()[1]
        if child.returncode != 0:
            raise SystemExit(f"`kfood` ended with {child.returncode}:\n{self.said}")
        found = []
        for path in self.cache.glob("entries/*/out-*/history.json"):
            if len(json.loads(path.read_text())["epochs"]) == self.epochs:
                found += [hashlib.sha256((path.parent / name).read_bytes()).hexdigest() for name in OUTPUTS]
        if len(found) != len(OUTPUTS):
            raise SystemExit(f"not one training of {self.epochs} epochs in `{self.cache}`")
        return found

    def kill(self, moment: float, worker: bool) -> bool:
        """Starts it, and kills the program or its worker after this many seconds; whether it was still at work."""
        child = self.start()
        try:
            child.communicate(timeout=moment)
            return False
        except subprocess.TimeoutExpired:
            pass
        workers = children(child.pid)
        for pid in workers if worker and workers else [child.pid]:
            os.kill(pid, signal.SIGKILL)
        child.communicate()
        return child.returncode != 0

    def forget(self) -> None:
        shutil.rmtree(self.cache, ignore_errors=True)


def generate(folder: Path, count: int) -> None:
    """Noise, a colour for each class."""
    draws = random.Random(3)
    for index in range(count):
        label = index % CLASSES
        path = folder / f"class{label}" / f"{index:05}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        base = bytes([60 * label, 180 - 50 * label, 40 * label]) * (SIDE * SIDE)
        noise = draws.randbytes(3 * SIDE * SIDE)
        Image.frombytes("RGB", (SIDE, SIDE), bytes((b + n // 4) % 256 for b, n in zip(base, noise))).save(path)


if __name__ == "__main__":
    main()
