"""Opens the event files of `kfood report --tensorboard` with the real TensorBoard.

    pip install tensorboard==2.21.0
    cargo build
    python tests/tensorboard_events.py                 # trains a small network on generated dishes: seconds

Every value that TensorBoard reads must be the one in `history.json` (as f32) or follow from `timing.json`, at the epoch as its
step, and the times must rise. Exits with 1 if anything differs.
"""

import argparse
import json
import pathlib
import struct
import subprocess
import sys
import tempfile

from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

PIPELINE = """
[dataset.dishes]
train = "data/train"
test = "data/test"

[split.holdout]
dataset = "dishes"

[preprocess.pixels]
dataset = "dishes"
resize = { width = 32, height = 32 }

[train.net]
data = "pixels"
split = "holdout"
arch = "resnet18"
epochs = 3
optimizer.sgd = { lr = 0.01 }
schedule.cosine = {}
"""


def single(value):
    return struct.unpack("f", struct.pack("f", value))[0]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kfood", default="target/debug/kfood", help="the program kfood")
    kfood = str(pathlib.Path(parser.parse_args().kfood).resolve())
    good = True
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        (folder / "net.toml").write_text(PIPELINE)
        for arguments in (["sample", "data"], ["run", "net.toml"], ["report", "net.toml", "--tensorboard", "board"]):
            subprocess.run([kfood, *arguments], cwd=folder, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        (path,) = folder.glob("cache/**/history.json")
        epochs = json.loads(path.read_text())["epochs"]
        times = json.loads((path.parent / "timing.json").read_text())["epochs"]
        wanted = {
            "train": {
                "loss": [e["train"]["loss"] for e in epochs],
                "top-1": [e["train"]["top1"] for e in epochs],
                "learning rate": [e["lr"] for e in epochs],
                "images per second": [t["images"] / t["train_seconds"] for t in times],
            },
            "validation": {
                "loss": [e["validation"]["loss"] for e in epochs],
                "top-1": [e["validation"]["top1"] for e in epochs],
            },
        }
        for part, tags in wanted.items():
            board = EventAccumulator(str(folder / "board" / "net" / part))
            board.Reload()
            found = board.Tags()["scalars"]
            good &= report(sorted(found) == sorted(tags), f"{part}: {', '.join(found)}")
            for tag, values in tags.items():
                events = board.Scalars(tag)
                same = [e.value for e in events] == [single(v) for v in values]
                steps = [e.step for e in events] == [e["epoch"] for e in epochs]
                rising = all(a.wall_time < b.wall_time for a, b in zip(events, events[1:]))
                good &= report(same and steps and rising, f"{part}: {len(events)} values of {tag}, their steps and times")
    sys.exit(0 if good else 1)


def report(good, text):
    print("ok   " if good else "WRONG", text, flush=True)
    return good


if __name__ == "__main__":
    main()
