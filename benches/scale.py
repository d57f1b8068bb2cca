"""What a data set of N small photographs costs: seconds and memory of dataset, split, preprocess, and of a run with nothing to do. See docs/scale.md."""

import argparse
import json
import os
import random
import shutil
import subprocess
import tempfile
import time
from io import BytesIO
from pathlib import Path

from PIL import Image

from peers import machine

PIPELINE = """\
[dataset.photographs]
train = "data"
[split.holdout]
dataset = "photographs"
validation = 0.1
test = 0.1
[split.steady]
dataset = "photographs"
validation = 0.1
test = 0.1
stable = true
[preprocess.pixels]
dataset = "photographs"
resize = { width = 16, height = 16 }
"""
# In this order: each finds what the one before it left, and looks at every file first.
STEPS = {
    "`dataset`, first look": ["photographs"],
    "a run with nothing to do": ["photographs"],
    "`split`": ["holdout"],
    "`split` with `stable`": ["steady"],
    "`preprocess`, with the search for look-alikes": ["pixels"],
    "a run of all with nothing to do": [],
}
CLASSES = 100


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kfood", type=Path, default=Path("target/release/kfood"))
    parser.add_argument("--work", type=Path, help="a folder for it: 4 kB a photograph, and as much again for results")
    parser.add_argument("--count", type=int, nargs="+", default=[10_000, 100_000])
    parser.add_argument("--json", type=Path, help="write everything there as well")
    options = parser.parse_args()
    program = options.kfood.resolve()
    figures = {count: measured(program, options.work, count) for count in options.count}
    described = machine.describe(options.kfood)
    for key, value in described.items():
        print(f"- {key}: {value}")
    print(f"\n| step | {' | '.join(f'{count:,}' for count in figures)} |\n|---|{'---:|' * len(figures)}")
    for step in STEPS:
        cells = [f"{ran['seconds']:.2f} s ({ran['processor']:.2f} of the processor), {ran['bytes'] / 1e6:.0f} MB" for ran in (figures[n][step] for n in figures)]
        print(f"| {step} | {' | '.join(cells)} |")
    if options.json:
        options.json.write_text(json.dumps({"machine": described, "figures": figures}, indent=2))


def measured(program: Path, work: Path | None, count: int) -> dict:
    folder = Path(tempfile.mkdtemp(prefix=f"kfood-scale-{count}-", dir=work))
    try:
        make(folder / "data", count)
        folder.joinpath("pipelines").mkdir()
        folder.joinpath("pipelines/p.toml").write_text(PIPELINE)
        return {step: ran([program, "run", "pipelines/p.toml", *stages], folder) for step, stages in STEPS.items()}
    finally:
        shutil.rmtree(folder)


def make(folder: Path, count: int) -> None:
    """Noise of 16 x 16 pixels, each photograph its own."""
    noise = random.Random(1)
    for number in range(CLASSES):
        folder.joinpath(f"class-{number:02}").mkdir(parents=True)
    for number in range(count):
        jpeg = BytesIO()
        Image.frombytes("RGB", (16, 16), noise.randbytes(16 * 16 * 3)).save(jpeg, "JPEG", quality=75)
        folder.joinpath(f"class-{number % CLASSES:02}", f"{number:07}.jpg").write_bytes(jpeg.getvalue())


def ran(command: list, folder: Path) -> dict:
    with tempfile.TemporaryFile("w+") as said:
        began = time.perf_counter()
        child = subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL, stderr=said)
        _, status, usage = os.wait4(child.pid, 0)
        seconds = time.perf_counter() - began
        child.returncode = os.waitstatus_to_exitcode(status)
        if child.returncode:
            said.seek(0)
            raise SystemExit(f"{command} ended with {child.returncode}:\n{said.read()}")
    return {"seconds": seconds, "processor": usage.ru_utime + usage.ru_stime, "bytes": usage.ru_maxrss * 1024}


main()
