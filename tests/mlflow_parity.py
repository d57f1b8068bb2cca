"""Reads the runs of `kfood report --mlflow` back with the real MLflow: from a server, and from a folder after `mlflow migrate-filestore`.

    pip install mlflow==3.17.2 numpy pillow
    cargo build
    python tests/mlflow_parity.py                     # trains two small networks on generated dishes: seconds

Every training and evaluation must be one run however often it is reported, below the run of the pipeline; its metrics must be those of
`history.json` and `metrics.json` at their epochs, its parameters the settings, its artifacts the files to the byte. Exits with 1 if
anything differs.
"""

import argparse
import json
import os
import pathlib
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request

os.environ |= {"MLFLOW_DISABLE_TELEMETRY": "true", "DO_NOT_TRACK": "1"}

import numpy  # noqa: E402
from mlflow import MlflowClient  # noqa: E402
from PIL import Image  # noqa: E402

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
epochs = 2
matrix.optimizer = [{ sgd = { lr = 0.01 } }, { sgd = { lr = 0.000001 } }]
class_weights = "balanced"

[evaluate.result]
model = "net"
"""
RATES = ["0.01", "0.000001"]
TRAININGS = {f"net[optimizer.sgd.lr={rate}]" for rate in RATES}
EVALUATIONS = {f"result[optimizer.sgd.lr={rate}]" for rate in RATES}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kfood", default="target/debug/kfood", help="the program kfood")
    kfood = str(pathlib.Path(parser.parse_args().kfood).resolve())
    good = True
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        (folder / "small.toml").write_text(PIPELINE)

        def ran(*arguments):
            return subprocess.run([kfood, *arguments], cwd=folder, check=True, capture_output=True, text=True)

        dishes(folder / "data")
        ran("run", "small.toml", "--device", "cpu")
        with server(folder) as url:
            first = ran("report", "small.toml", "--mlflow", url).stderr
            good &= said("4 runs written" in first, f"first: {first.strip().splitlines()[-1]}")
            again = ran("report", "small.toml", "--mlflow", url).stderr
            good &= said("0 runs written, 4 there already" in again, f"again: {again.strip().splitlines()[-1]}")
            good &= read_back(MlflowClient(tracking_uri=url), folder, ran)
        for _ in range(2):
            ran("report", "small.toml", "--mlflow", "mlruns")
        target = f"sqlite:///{folder}/migrated.db"
        asked = [sys.executable, "-m", "mlflow", "migrate-filestore", "--source", "mlruns", "--target", target]
        moved = subprocess.run(asked, cwd=folder, capture_output=True, text=True)
        good &= said(moved.returncode == 0, f"migrate-filestore: {(moved.stdout + moved.stderr).strip().splitlines()[-1]}")
        good &= read_back(MlflowClient(tracking_uri=target), folder, ran)
    sys.exit(0 if good else 1)


def dishes(folder):
    """Noise in a colour for each class."""
    random = numpy.random.default_rng(1)
    for part, images in ("train", 10), ("test", 8):
        for number, name in enumerate(["김밥", "잡채", "비빔밥"]):
            (folder / part / name).mkdir(parents=True)
            for image in range(images):
                pixels = random.integers(0, 180, (40, 40, 3)) + [0, 30, 60][number]
                Image.fromarray(pixels.astype("uint8")).save(folder / part / name / f"{image}.png")


class server:
    """`mlflow server` on a free port, which serves artifacts."""

    def __init__(self, folder):
        self.folder = folder

    def __enter__(self):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        places = ["--backend-store-uri", f"sqlite:///{self.folder}/server.db", "--artifacts-destination", str(self.folder / "artifacts")]
        asked = [sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(port), "--workers", "1", *places]
        self.log = open(self.folder / "server.log", "w")
        self.process = subprocess.Popen(asked, stdout=self.log, stderr=self.log, start_new_session=True)
        url = f"http://127.0.0.1:{port}"
        for _ in range(600):
            try:
                urllib.request.urlopen(f"{url}/health", timeout=1)
                return url
            except OSError:
                if self.process.poll() is not None:
                    break
                time.sleep(0.2)
        sys.exit(f"mlflow server does not start:\n{(self.folder / 'server.log').read_text()}")

    def __exit__(self, *_):
        # The server has children of its own, all of one session.
        os.killpg(self.process.pid, 15)
        self.process.wait()
        self.log.close()


def read_back(client, folder, ran):
    experiment = client.get_experiment_by_name("small")
    runs = {run.info.run_name: run for run in client.search_runs([experiment.experiment_id])}
    good = said(set(runs) == TRAININGS | EVALUATIONS | {"small"}, f"runs: {', '.join(sorted(runs))}")
    parent = runs["small"].info.run_id
    below = [run.data.tags.get("mlflow.parentRunId") for name, run in runs.items() if name != "small"]
    good &= said(below == [parent] * 4, "trainings and evaluations stand below the pipeline")
    good &= said(all(run.info.status == "FINISHED" for run in runs.values()), "all are finished")
    page = artifact(client, runs["small"], "report.html")
    good &= said(page.startswith(b"<!doctype html>") and b"small" in page, f"report.html: {len(page)} bytes")
    for name in sorted(TRAININGS):
        good &= training(client, runs[name], outputs(ran, name), name)
    for name in sorted(EVALUATIONS):
        good &= evaluation(client, runs[name], outputs(ran, name), name)
    return good


def outputs(ran, stage):
    rows = json.loads(ran("show", f"small.toml:{stage}", "--json").stdout)["outputs"]
    return {row["name"]: pathlib.Path(row["path"]).read_bytes() for row in rows}


def training(client, run, files, name):
    epochs = json.loads(files["history.json"])["epochs"]
    wanted = {
        "train/loss": [e["train"]["loss"] for e in epochs],
        "train/top1": [e["train"]["top1"] for e in epochs],
        "validation/loss": [e["validation"]["loss"] for e in epochs],
        "validation/top1": [e["validation"]["top1"] for e in epochs],
        "learning_rate": [e["lr"] for e in epochs],
    }
    good = True
    for metric, values in wanted.items():
        found = sorted(client.get_metric_history(run.info.run_id, metric), key=lambda m: m.step)
        good &= [m.value for m in found] == values and [m.step for m in found] == [e["epoch"] for e in epochs]
        good &= all(a.timestamp < b.timestamp for a, b in zip(found, found[1:]))
    good = said(good, f"{name}: {len(wanted)} metrics over {len(epochs)} epochs")
    params = run.data.params
    rate = f"{float(name.removesuffix(']').rsplit('=', 1)[1])}"
    same = params["train.arch"] == "resnet18" and float(params["train.optimizer.sgd.lr"]) == float(rate)
    good &= said(same, f"{name}: {len(params)} parameters")
    model = artifact(client, run, "model/best.safetensors")
    good &= said(model == files["best.safetensors"], f"{name}: the model, {len(model)} bytes")
    return good & said(artifact(client, run, "history.json") == files["history.json"], f"{name}: history.json")


def evaluation(client, run, files, name):
    parts = json.loads(files["metrics.json"])["parts"]
    wanted = {f"{part['part']}/{metric}": part[metric] for part in parts for metric in ["images", "loss", "top1", "top5", "macro_f1"]}
    good = said(all(run.data.metrics[metric] == value for metric, value in wanted.items()), f"{name}: {len(wanted)} metrics")
    same = all(artifact(client, run, file) == files[file] for file in ["metrics.json", "predictions.csv"])
    return good & said(same, f"{name}: metrics.json and predictions.csv")


def artifact(client, run, name):
    with tempfile.TemporaryDirectory() as folder:
        return pathlib.Path(client.download_artifacts(run.info.run_id, name, folder)).read_bytes()


def said(good, text):
    print("ok   " if good else "WRONG", text, flush=True)
    return good


if __name__ == "__main__":
    main()
