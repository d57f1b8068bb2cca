"""Holds the numbers of a report's page against scikit-learn and statsmodels, from nothing but the predictions in the cache.

    pip install scikit-learn scipy statsmodels numpy netcal==1.4.0
    python tests/page_parity.py --kfood target/release/kfood PIPELINE

How sure the best model is: calibration error, Brier score and loss of each part as far as the page has decimals, and the reliability diagram.
For each evaluation group of the page: every cell of its confusion matrix, recall and its interval over images and runs of each class, F1 of each class, and
top-1, top-5, macro F1 and loss of the result table. Exits with 1 if anything differs.
"""

import argparse
import csv
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile

import numpy as np
from netcal.metrics import ECE
from scipy.special import softmax
from scipy.stats import t
from sklearn.metrics import confusion_matrix, f1_score
from statsmodels.stats.proportion import proportion_confint

PARTS = ["test", "validation", "train"]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("pipeline")
    parser.add_argument("--kfood", required=True)
    args = parser.parse_args()
    ask = lambda *words: subprocess.run([args.kfood, *words], check=True, stdout=subprocess.PIPE, text=True).stdout
    with tempfile.TemporaryDirectory() as folder:
        page = pathlib.Path(folder) / "report.html"
        ask("report", args.pipeline, "-o", str(page), "--images", "none", "--lang", "en")
        without = page.read_text()
        ask("report", args.pipeline, "-o", str(page), "--lang", "en")
        html = page.read_text()
    charts = json.loads(re.search(r'<script type="application/json" id="charts">(.*?)</script>', html).group(1))
    matrices, ranges, scatters = ([c for c in charts if c["kind"] == kind] for kind in ("matrix", "ranges", "scatter"))
    rows = json.loads(ask("report", args.pipeline, "--json"))["rows"]
    assert len(matrices) == len(ranges) == len(scatters) == len(rows), "a matrix, its recall and its F1 stand for each row"
    assert "Confusion matrix" not in without, "without photographs there is no matrix"
    apart = 0.0
    for row, matrix, recall, scatter in zip(rows, matrices, ranges, scatters):
        runs = predictions(ask, args.pipeline, row["evaluation"])
        assert len(runs) == row["runs"], (row["evaluation"], len(runs))
        part = next(p for p in PARTS if all(p in run for run in runs))
        classes = matrix["classes"]
        apart = max(apart, of_part(classes, [run[part] for run in runs], matrix, recall, scatter), of_row(row, runs))
        print(f"{row['evaluation']}: {len(runs)} runs, {sum(len(run[part]) for run in runs)} predictions on {part}")
    apart = max(apart, sureness(ask, args.pipeline, html, charts))
    print(f"largest difference: {apart:.1e}")
    sys.exit(0 if apart < 1e-9 else 1)


def sureness(ask, pipeline, html, charts):
    """The largest difference of the reliability diagram; what the page rounds has to be as its decimals say."""
    told = html[html.rindex(">How sure <code>") :]
    evaluation = re.match(r">How sure <code>(.*?)</code> is</h2>", told).group(1)
    table = told[: told.index("</table>")]
    record = next(r for r in json.loads(ask("explain", pipeline, evaluation, "--json")) if r["id"] == evaluation)
    folder = pathlib.Path(cache()) / "entries" / (record.get("record") or record["newest"])["key"]
    with open(next(folder.rglob("predictions.csv")), newline="") as lines:
        lines = list(csv.DictReader(lines))
    classes = json.loads(next(folder.rglob("metrics.json")).read_text())["classes"]
    logs = log_probabilities(next(folder.rglob("log_probabilities.f32")).parent)
    assert logs.shape == (len(lines), len(classes)), logs.shape
    labels = np.array([classes.index(line["label"]) for line in lines])
    parts = np.array([line["part"] for line in lines])
    rows = re.findall(r"<tr><td class=\"head\">(.*?)</td>(.*?)</tr>", table)
    assert [name for name, _ in rows] == [name for name in ("validation", "test") if name in parts], rows
    apart = 0.0
    for name, cells in rows:
        _, error, _, brier, loss = re.findall(r"<td.*?>(.*?)</td>", cells)
        mine, label = softmax(logs[parts == name], axis=1), labels[parts == name]
        confidence, right = mine.max(1), mine.argmax(1) == label
        rounded = [
            abs(float(error.split("%")[0]) / 100 - ECE(15).measure(confidence, right.astype(int))) / 5e-4,
            abs(float(brier) - np.mean(np.sum((mine - np.eye(len(classes))[label]) ** 2, 1))) / 5e-4,
            abs(float(loss) + np.mean(np.log(mine[np.arange(len(label)), label]))) / 5e-4,
        ]
        assert max(rounded) < 1.001, (name, rounded)
        apart = max(apart, diagram(charts, confidence, right) if name == rows[-1][0] else 0.0)
        print(f"how sure {evaluation} is on {name}: {len(label)} predictions, error {error}, Brier score {brier}, loss {loss}")
    return apart


def log_probabilities(folder):
    """What the Python of docs/results.md reads beside the files of an evaluation."""
    page = pathlib.Path(__file__).resolve().parent.parent / "docs" / "results.md"
    space, here = {}, os.getcwd()
    os.chdir(folder)
    try:
        exec(re.search(r"```python\n(.*?)```", page.read_text(), re.DOTALL).group(1), space)
    finally:
        os.chdir(here)
    return space["logs"].astype(float)


def diagram(charts, confidence, right):
    """The largest difference of the points of the reliability diagram, which is drawn of the last part."""
    curve = next(c for c in charts if c["kind"] == "curve" and c["x"]["name"] == "probability of the first guess")
    bins = np.ceil(confidence * 15).clip(1, 15)
    points = [(confidence[bins == b].mean(), right[bins == b].mean()) for b in range(1, 16) if (bins == b).any()]
    ours = next(s["points"] for s in curve["series"] if s["name"] == "right")
    assert len(ours) == len(points), (ours, points)
    return float(np.abs(np.array(ours) - np.array(points)).max())


def predictions(ask, pipeline, group):
    """Rows of each run of a group, by part."""
    stage, _, settings = group.rstrip("]").partition("[")
    wanted = set(filter(None, settings.split(",")))
    runs = []
    for told in json.loads(ask("explain", pipeline, stage, "--json")):
        varied = set(told["id"].rstrip("]").partition("[")[2].split(","))
        if wanted <= varied:
            record = told.get("record") or told["newest"]
            folder = pathlib.Path(cache()) / "entries" / record["key"]
            with open(next(folder.rglob("predictions.csv")), newline="") as lines:
                parts = {}
                for line in csv.DictReader(lines):
                    parts.setdefault(line["part"], []).append(line)
                runs.append(parts)
    return runs


def cache():
    return os.environ.get("KFOOD_CACHE") or "cache"


def of_part(classes, runs, matrix, recall, scatter):
    """The largest difference of what the page shows of one part."""
    labels = [line["label"] for run in runs for line in run]
    guesses = [line["predicted"] for run in runs for line in run]
    right = confusion_matrix(labels, guesses, labels=classes)
    ours = np.zeros_like(right)
    for label, predicted, count, *_ in matrix["cells"]:
        ours[label, predicted] = count
    apart = [float(np.abs(ours - right).max())]
    for name, value, low, high, images in recall["ranges"]:
        hits = [[line["predicted"] == name for line in run if line["label"] == name] for run in runs]
        hits = [of_run for of_run in hits if of_run]
        mean, lower, upper = over_runs(hits)
        distinct = {line["path"] for run in runs for line in run if line["label"] == name}
        apart += [abs(images - len(distinct)), abs(value - mean), abs(low - lower), abs(high - upper)]
    f1 = dict(zip(classes, f1_score(labels, guesses, labels=classes, average=None, zero_division=0)))
    apart += [abs(value - f1[name]) for name, _, value in scatter["points"]]
    return max(apart)


def over_runs(hits):
    """The mean share of the runs, and its interval: Wilson's on the images of one run, and Student's over the runs."""
    shares = [np.mean(of_run) for of_run in hits]
    mean, images = float(np.mean(shares)), min(map(len, hits))
    low, high = proportion_confint(mean * images, images, method="wilson")
    by_runs = 0.0
    if len(shares) > 1:
        by_runs = t.ppf(0.975, len(shares) - 1) * np.std(shares, ddof=1) / np.sqrt(len(shares))
    return mean, max(0.0, mean - np.hypot(mean - low, by_runs)), min(1.0, mean + np.hypot(high - mean, by_runs))


def of_row(row, runs):
    """The largest difference of a row of the result table."""
    apart = [0.0]
    for part in row["parts"]:
        lines = [run[part["part"]] for run in runs]
        true = lambda cell: cell in ("true", "1", "True")
        apart += [
            abs(part["top1"]["mean"] - np.mean([np.mean([true(line["correct"]) for line in run]) for run in lines])),
            abs(part["top5"]["mean"] - np.mean([np.mean([true(line["top5"]) for line in run]) for run in lines])),
            abs(part["loss"]["mean"] - np.mean([np.mean([float(line["loss"]) for line in run]) for run in lines])),
            abs(part["macro_f1"]["mean"] - np.mean([macro(run) for run in lines])),
        ]
    return max(apart)


def macro(run):
    return f1_score([line["label"] for line in run], [line["predicted"] for line in run], average="macro", zero_division=0)


if __name__ == "__main__":
    main()
