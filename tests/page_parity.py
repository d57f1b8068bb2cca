"""Holds the numbers of a report's page against scikit-learn, statsmodels, cleanlab, netcal and scipy, from nothing but the predictions in the cache.

    pip install cleanlab==2.9.0 scikit-learn scipy statsmodels numpy netcal==1.4.0
    python tests/page_parity.py --kfood target/release/kfood PIPELINE ...

How sure a model is: its temperature, calibration error, Brier score and loss of each part with and without it, and the promise of a threshold, as far as
the page has decimals; and the reliability diagram. Labels that look wrong: which they are, and margin and probability of each that is listed. For each
evaluation group of the page: every cell of its confusion matrix, recall and its interval over images and runs of each class, F1 of each class, and
top-1, top-5, macro F1 and loss of the result table. Without photographs a page has the same charts. Exits with 1 if anything differs.
"""

import argparse
import csv
import html as markup
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile

import numpy as np
from cleanlab.filter import find_label_issues
from cleanlab.rank import get_label_quality_scores
from netcal.metrics import ECE
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax
from scipy.stats import t
from sklearn.metrics import confusion_matrix, f1_score
from statsmodels.stats.proportion import proportion_confint

PARTS = ["test", "validation", "train"]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("pipelines", nargs="+")
    parser.add_argument("--kfood", required=True)
    args = parser.parse_args()
    ask = lambda *words: subprocess.run([args.kfood, *words], check=True, stdout=subprocess.PIPE, text=True).stdout
    apart = max(of_pipeline(ask, pipeline) for pipeline in args.pipelines)
    print(f"largest difference: {apart:.1e}")
    sys.exit(0 if apart < 1e-9 else 1)


def of_pipeline(ask, pipeline):
    """The largest difference of a page."""
    with tempfile.TemporaryDirectory() as folder:
        page = pathlib.Path(folder) / "report.html"
        ask("report", pipeline, "-o", str(page), "--images", "none", "--lang", "en")
        without = charts_of(page.read_text())
        ask("report", pipeline, "-o", str(page), "--lang", "en")
        html = page.read_text()
    charts = charts_of(html)
    assert bare(charts) == bare(without), "without photographs the charts are others"
    assert any(shots for c in charts if c["kind"] == "matrix" for *_, shots in c["cells"]), "no photograph stands behind a cell"
    assert not any(shots for c in without if c["kind"] == "matrix" for *_, shots in c["cells"]), "a photograph is there though none was asked for"
    matrices, ranges, scatters = ([c for c in charts if c["kind"] == kind] for kind in ("matrix", "ranges", "scatter"))
    rows = json.loads(ask("report", pipeline, "--json"))["rows"]
    assert len(matrices) == len(ranges) == len(scatters) == len(rows), "a matrix, its recall and its F1 stand for each row"
    apart = 0.0
    for row, matrix, recall, scatter in zip(rows, matrices, ranges, scatters):
        runs = predictions(ask, pipeline, row["evaluation"])
        assert len(runs) == row["runs"], (row["evaluation"], len(runs))
        part = next(p for p in PARTS if all(p in run for run in runs))
        classes = matrix["classes"]
        apart = max(apart, of_part(classes, [run[part] for run in runs], matrix, recall, scatter), of_row(row, runs))
        print(f"{row['evaluation']}: {len(runs)} runs, {sum(len(run[part]) for run in runs)} predictions on {part}")
    labels(ask, pipeline, html)
    return max(apart, sureness(ask, pipeline, html, charts))


def charts_of(html):
    return json.loads(re.search(r'<script type="application/json" id="charts">(.*?)</script>', html).group(1))


def bare(charts):
    """Charts without what stands behind their cells."""
    return [{**c, "cells": [cell[:3] for cell in c["cells"]]} if c["kind"] == "matrix" else c for c in charts]


def chapters(html, title):
    """What stands below each heading of this form: what is named in it, and its text up to the next chapter."""
    parts = re.split(r"<h2 [^>]*>", html.replace("<wbr>", ""))[1:]
    found = [(re.match(title, part), part) for part in parts]
    return [(match.group(1), part) for match, part in found if match]


def first_table(html):
    """The rows of the first table, as text."""
    table = html[html.index("<tbody>") : html.index("</tbody>")]
    text = lambda cell: markup.unescape(re.sub(r"<.*?>", "", cell))
    return [[text(cell) for cell in re.findall(r"<td.*?>(.*?)</td>", row)] for row in re.findall(r"<tr>(.*?)</tr>", table)]


def record_of(ask, pipeline, stage):
    found = next(r for r in json.loads(ask("explain", pipeline, stage, "--json")) if r["id"] == stage)
    return found.get("record") or found["newest"]


def judged(key):
    """Rows of an evaluation, its classes, labels as numbers, and the log-probabilities of all classes."""
    folder = pathlib.Path(cache()) / "entries" / key
    with open(next(folder.rglob("predictions.csv")), newline="") as lines:
        lines = list(csv.DictReader(lines))
    classes = json.loads(next(folder.rglob("metrics.json")).read_text())["classes"]
    logs = log_probabilities(next(folder.rglob("log_probabilities.f32")).parent)
    assert logs.shape == (len(lines), len(classes)), logs.shape
    return lines, classes, np.array([classes.index(line["label"]) for line in lines]), logs


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


def labels(ask, pipeline, html):
    """Label issues of an audit of all runs of an evaluation, against cleanlab's; what the page rounds has to be as its decimals say."""
    for audit, told in chapters(html, r"Labels that look wrong, by <code>(.*?)</code></h2>"):
        inputs = record_of(ask, pipeline, audit)["from"]
        evaluations = [key for role, key in sorted(inputs.items()) if role.endswith(".log_probabilities")]
        paths, given, probabilities = [], [], []
        for evaluation in evaluations:
            lines, classes, label, logs = judged(evaluation)
            held_out = [i for i, line in enumerate(lines) if line["part"] == "validation"]
            paths += [lines[i]["path"] for i in held_out]
            given.append(label[held_out])
            probabilities.append(np.exp(logs[held_out]))
        given, probabilities = np.concatenate(given), np.concatenate(probabilities)
        probabilities /= probabilities.sum(1, keepdims=True)
        issues = find_label_issues(given, probabilities, filter_by="prune_by_noise_rate", n_jobs=1)
        margins = get_label_quality_scores(given, probabilities, method="normalized_margin")
        first = re.search(r"<p>([\d,]+) of ([\d,]+) labels? on validation looks? wrong, by (\d+) models? ", told)
        counts = [int(n.replace(",", "")) for n in first.groups()]
        assert counts == [issues.sum(), len(paths), len(evaluations)], (counts, issues.sum(), len(paths))
        of = {path: i for i, path in enumerate(paths)}
        rows = first_table(told)
        listed = [of[row[1]] for row in rows]
        assert len(listed) == min(50, issues.sum()) and issues[listed].all(), "other labels are listed than cleanlab finds"
        assert np.allclose(margins[listed], np.sort(margins[issues])[: len(listed)], atol=1e-7), "the worst do not come first"
        others = probabilities.copy()
        others[np.arange(len(given)), given] = -1
        for i, (_, _, label, suggested, margin, probability) in zip(listed, rows):
            assert (label, suggested) == (classes[given[i]], classes[others[i].argmax()]), paths[i]
            assert abs(float(margin) - margins[i]) < 5.01e-4, (paths[i], margin, margins[i])
            assert abs(float(probability[:-1]) / 100 - others[i].max()) < 5.01e-4, (paths[i], probability)
        print(f"{audit}: {issues.sum()} of {len(paths)} labels look wrong to cleanlab too, {len(listed)} are listed")


def sureness(ask, pipeline, html, charts):
    """The largest difference of the reliability diagrams; what the page rounds has to be as its decimals say."""
    apart = 0.0
    diagrams = iter([c for c in charts if is_diagram(c) or (c["kind"] == "multiples" and is_diagram(c["panels"][0][1]))])
    for evaluation, told in chapters(html, r"How sure <code>(.*?)</code> is</h2>"):
        lines, _, labels, logs = judged(record_of(ask, pipeline, evaluation)["key"])
        parts = np.array([line["part"] for line in lines])
        fitted = re.search(r"<p>Temperature ([\d.]+), fitted on validation", told)
        temperatures = [1.0, temperature(logs[parts == "validation"], labels[parts == "validation"])] if fitted else [1.0]
        if fitted:
            assert abs(float(fitted.group(1)) - temperatures[1]) < 5.01e-4, (evaluation, fitted.group(1), temperatures[1])
        rows = first_table(told)
        names = [name for name in ("validation", "test") if name in parts]
        assert [row[0] for row in rows] == [name for name in names for _ in temperatures], rows
        for (name, *figures), by in zip(rows, temperatures * len(names)):
            of_sureness(name, figures, by, np.exp(log_softmax(logs[parts == name] / by, axis=1)), labels[parts == name])
        probabilities = np.exp(log_softmax(logs / temperatures[-1], axis=1))
        promised(told, parts, names, probabilities.max(1), probabilities.argmax(1) == labels)
        drawn = next(diagrams)
        curves = [curve for _, curve in drawn["panels"]] if fitted else [drawn]
        last = parts == names[-1]
        for curve, by in zip(curves, temperatures, strict=True):
            mine = np.exp(log_softmax(logs[last] / by, axis=1))
            apart = max(apart, diagram(curve, mine.max(1), mine.argmax(1) == labels[last], 1e-4 if by != 1.0 else 1.0))
        print(f"how sure {evaluation} is: temperatures {temperatures} on {names}, {len(lines)} predictions")
    return apart


def temperature(logs, labels):
    loss = lambda x: -log_softmax(logs / np.exp(x), 1)[np.arange(len(labels)), labels].mean()
    return float(np.exp(minimize_scalar(loss, bounds=np.log([0.01, 100]), method="bounded", options={"xatol": 1e-10}).x))


def of_sureness(name, figures, by, mine, label):
    """A row of the table of errors."""
    told, error, _, brier, loss = figures
    confidence, right = mine.max(1), mine.argmax(1) == label
    rounded = [
        abs(float(told) - by),
        abs(float(error.split("%")[0]) / 100 - ECE(15).measure(confidence, right.astype(int))),
        abs(float(brier) - np.mean(np.sum((mine - np.eye(mine.shape[1])[label]) ** 2, 1))),
        abs(float(loss) + np.mean(np.log(mine[np.arange(len(label)), label]))),
    ]
    assert max(rounded) < 5.01e-4, (name, by, rounded)


def promised(told, parts, names, confidence, right):
    """The threshold, and what it keeps of each part."""
    promise = re.search(r"<p>([\d.]+)% precision is asked for\. Chosen on validation: from a probability of ([\d.]+) on .*?Right are, of (.*?)</p>", told)
    if promise is None:
        assert "precision is asked for" not in told
        return
    wanted, threshold, kept = promise.groups()
    validation = parts == "validation"
    precise = lambda cut: right[validation & (confidence >= cut)].mean() >= float(wanted) / 100
    cut = next(c for c in np.unique(confidence[validation]) if precise(c))
    assert abs(cut - float(threshold)) < 5.01e-4, (cut, threshold)
    of_parts = re.findall(r"(\w+): ([\d.]+)% \[([\d.]+), ([\d.]+)\] on ([\d.]+)% of the photographs", kept)
    assert [name for name, *_ in of_parts] == names, kept
    for name, *figures in of_parts:
        answered = (parts == name) & (confidence >= cut - 1e-9)
        n, hits = answered.sum(), right[answered].sum()
        own = [hits / n, *proportion_confint(hits, n, method="wilson"), n / (parts == name).sum()]
        apart = np.abs(np.array(figures, float) / 100 - own).max()
        assert apart < 5.01e-4, (name, figures, own)
    print(f"threshold {threshold} for {wanted}%: right and answered as told on {names}")


def is_diagram(chart):
    return chart.get("x", {}).get("name") == "probability of the first guess"


def diagram(curve, confidence, right, scale):
    """The largest difference of the points of a reliability diagram."""
    bins = np.ceil(confidence * 15).clip(1, 15)
    points = [(confidence[bins == b].mean(), right[bins == b].mean()) for b in range(1, 16) if (bins == b).any()]
    ours = next(s["points"] for s in curve["series"] if s["name"] == "right")
    assert len(ours) == len(points), (ours, points)
    # Two minimizers find a temperature to so many digits.
    return scale * float(np.abs(np.array(ours) - np.array(points)).max())


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
