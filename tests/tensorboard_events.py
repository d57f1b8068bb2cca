"""Opens the event files of `kfood report --tensorboard` with the real TensorBoard.

    pip install numpy pillow tensorboard==2.21.0
    cargo build
    python tests/tensorboard_events.py                 # trains two small networks on generated dishes: seconds

Every value that TensorBoard reads must be the one in `history.json` (as f32) or follow from `timing.json`, at the epoch as its
step, and the times must rise. The HParams plugin must find the settings of each training and its metrics, and the pictures must be those
of the evaluation's most confident mistakes. Exits with 1 if anything differs.
"""

import argparse
import csv
import io
import json
import pathlib
import struct
import subprocess
import sys
import tempfile

import numpy
from PIL import Image
from tensorboard.backend.event_processing import data_provider, plugin_event_multiplexer
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.context import RequestContext
from tensorboard.plugins import base_plugin
from tensorboard.plugins.hparams import api_pb2, backend_context, get_experiment, list_session_groups

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
matrix.optimizer = [{ sgd = { lr = 0.01 } }, { sgd = { lr = 0.000001 } }]
schedule.cosine = {}

[evaluate.result]
model = "net"
"""


def dishes(folder):
    """Noise in a colour for each class: quickly learnt, and not without mistakes."""
    random = numpy.random.default_rng(1)
    for part, images in ("train", 10), ("test", 8):
        for number, name in enumerate(["김밥", "잡채", "비빔밥"]):
            (folder / part / name).mkdir(parents=True)
            for image in range(images):
                pixels = random.integers(0, 180, (40, 40, 3)) + [0, 30, 60][number]
                Image.fromarray(pixels.astype("uint8")).save(folder / part / name / f"{image}.png")


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
        dishes(folder / "data")
        for arguments in (["run", "net.toml", "--device", "cpu"], ["report", "net.toml", "--tensorboard", "board"]):
            subprocess.run([kfood, *arguments], cwd=folder, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        board = folder / "board"
        runs = sorted(path.name for path in board.iterdir() if path.name.startswith("net["))
        good &= report(len(runs) == 2, f"runs: {', '.join(runs)}")
        histories = {path: json.loads(path.read_text())["epochs"] for path in folder.glob("cache/**/history.json")}
        for run in runs:
            lr = float(run.removesuffix("]").rsplit("=", 1)[1])
            (path,) = [path for path, epochs in histories.items() if epochs[0]["lr"] == lr]
            good &= curves(board / run, histories[path], json.loads((path.parent / "timing.json").read_text())["epochs"])
        good &= hparams(board, runs)
        for stage in sorted(path.name for path in board.iterdir() if path.name.startswith("result[")):
            good &= pictures(board / stage / "test", kfood, folder, stage)
    sys.exit(0 if good else 1)


def curves(run, epochs, times):
    """The scalars of a training."""
    good = True
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
        board = EventAccumulator(str(run / part))
        board.Reload()
        found = board.Tags()["scalars"]
        good &= report(sorted(found) == sorted(tags), f"{run.name}/{part}: {', '.join(found)}")
        for tag, values in tags.items():
            events = board.Scalars(tag)
            same = [e.value for e in events] == [single(v) for v in values]
            steps = [e.step for e in events] == [e["epoch"] for e in epochs]
            rising = all(a.wall_time < b.wall_time for a, b in zip(events, events[1:]))
            good &= report(same and steps and rising, f"{part}: {len(events)} values of {tag}, their steps and times")
    return good


def hparams(board, runs):
    """What the HParams plugin makes of the folder: an experiment with a trial for each training."""
    multiplexer = plugin_event_multiplexer.EventMultiplexer()
    multiplexer.AddRunsFromDirectory(str(board))
    multiplexer.Reload()
    provider = data_provider.MultiplexerDataProvider(multiplexer, str(board))
    context = backend_context.Context(base_plugin.TBContext(data_provider=provider))
    request = RequestContext()
    experiment = get_experiment.Handler(request, context, "", api_pb2.GetExperimentRequest()).run()
    found = {info.name for info in experiment.hparam_infos}
    good = report("train.optimizer.sgd.lr" in found and "train.arch" in found, f"hparams: {len(found)} settings")
    metrics = {(info.name.group, info.name.tag) for info in experiment.metric_infos}
    good &= report(("validation", "top-1") in metrics, f"hparams: {len(metrics)} metrics")
    asked = api_pb2.ListSessionGroupsRequest(slice_size=10, allowed_statuses=[api_pb2.STATUS_SUCCESS])
    groups = list_session_groups.Handler(request, context, "", asked).run().session_groups
    rates = sorted(group.hparams["train.optimizer.sgd.lr"].number_value for group in groups)
    good &= report(rates == [0.000001, 0.01], f"hparams: {len(groups)} finished trials of learning rates {rates}")
    archs = {group.hparams["train.arch"].string_value for group in groups}
    good &= report(archs == {"resnet18"}, f"hparams: of {', '.join(archs)}")
    return good & report(len(groups) == len(runs), "hparams: a trial for each training")


def pictures(run, kfood, folder, stage):
    """The most confident mistakes, with their photographs."""
    shown = subprocess.run([kfood, "show", f"net.toml:{stage}", "predictions.csv"], cwd=folder, check=True, capture_output=True, text=True)
    wrong = [row for row in csv.DictReader(io.StringIO(shown.stdout)) if row["part"] == "test" and row["correct"] == "false"]
    wrong.sort(key=lambda row: (-float(row["probability"]), row["path"]))
    if not wrong:
        return report(not run.exists(), f"{stage}: no mistakes and no pictures")
    board = EventAccumulator(str(run), size_guidance={"images": 0})
    board.Reload()
    tags = board.Tags()["images"]
    wanted = [f"mistakes/{i:02} {row['label']} → {row['predicted']}" for i, row in enumerate(wrong[:16], 1)]
    same = len(tags) == len(wanted) and all(tag.startswith(want) for tag, want in zip(sorted(tags), wanted))
    good = report(same, f"{stage}: pictures of the first {len(tags)} of {len(wrong)} mistakes")
    for tag in tags:
        (event,) = board.Images(tag)
        picture = Image.open(io.BytesIO(event.encoded_image_string))
        good &= picture.size == (event.width, event.height) and max(picture.size) <= 224
    return report(good, f"{stage}: their sizes")


def report(good, text):
    print("ok   " if good else "WRONG", text, flush=True)
    return good


if __name__ == "__main__":
    main()
