"""kfood's recipe against the same recipe in PyTorch: the same photographs, split and settings, other random numbers. See benches/README.md.

    KFOOD_REAL_DATA=/path/to/them python benches/recipe.py
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
from pathlib import Path

from peers import machine


def main() -> None:
    options = arguments()
    report = {"machine": machine.describe(options.kfood), "pipeline": str(options.pipeline)}
    known = {run["key"]: run for run in json.loads(options.json.read_text())["runs"]} if options.json and options.json.exists() else {}
    ran = json.loads(ask(options, "run", options.pipeline, "--json"))
    stages = {stage["id"]: stage for stage in ran["stages"]}
    nets = [id for id in stages if id.split("[")[0] == options.train]
    for net in nets:
        result, key = net.replace(options.train, options.evaluate, 1), stages[net]["key"]
        theirs = known[key]["PyTorch"] if key in known else peer(options, net)
        ours = json.loads(output(options, stages[result]["key"], "metrics.json").read_text())
        known[key] = {"stage": net, "key": key, "kfood": of_parts(ours), "PyTorch": theirs}
        report["machine"]["load at the end"] = machine.load()
        if options.json:
            options.json.write_text(json.dumps(report | {"runs": list(known.values())}, indent=1, ensure_ascii=False) + "\n")
    show(report | {"runs": [known[stages[net]["key"]] for net in nets]})


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kfood", type=Path, default=Path("target/release/kfood"))
    parser.add_argument("--pipeline", type=Path, default=Path("pipelines/korean/best.toml"))
    parser.add_argument("--train", default="net", help="the stage that is trained, with a matrix over seeds")
    parser.add_argument("--evaluate", default="net_result", help="the stage that judges it")
    parser.add_argument("--cache", type=Path, default=Path(os.environ.get("KFOOD_CACHE", "cache")))
    parser.add_argument("--workers", type=int, default=1, help="of PyTorch's loader")
    parser.add_argument("--json", type=Path, help="every number; written after each seed, and seeds of the same training that stand in it are not trained again")
    options = parser.parse_args()
    options.kfood = options.kfood.resolve()
    return options


def ask(options, *words) -> str:
    env = os.environ | {"KFOOD_CACHE": str(options.cache.resolve())}
    ran = subprocess.run([options.kfood, *words], env=env, stdout=subprocess.PIPE, text=True)
    if ran.returncode != 0:
        raise SystemExit(f"`kfood {words[0]}` ended with {ran.returncode}")
    return ran.stdout


def explained(options, stage: str) -> dict:
    return json.loads(ask(options, "explain", options.pipeline, stage, "--json"))[0]["record"]


def output(options, key: str, name: str) -> Path:
    entry = options.cache / "entries" / key
    record = json.loads((entry / "record.json").read_text())["record"]
    return (entry / record["folder"] / name).resolve()


def peer(options, net: str) -> dict:
    """Trains one seed in PyTorch and gives its figures."""
    record = explained(options, net)
    made = record["from"]
    labels = json.loads(output(options, made["labels"], "labels.json").read_text())
    membership = json.loads(output(options, made["split"], "membership.json").read_text())
    settings = record["document"]["settings"]
    asked = {
        "pack": str(output(options, made["pack"], "pixels.pack")), "classes": [label["class"] for label in labels["labels"]], "parts": parts_of(membership), "arch": settings["arch"],
        "training": settings["training"], "threads": len(os.sched_getaffinity(0)), "workers": options.workers, "bf16": record["fingerprint"]["precision"] == "bf16",
    }
    child = subprocess.run(
        [sys.executable, "-m", "peers.recipe"],
        cwd=Path(__file__).parent, input=json.dumps(asked), stdout=subprocess.PIPE, text=True,
    )
    if child.returncode != 0:
        raise SystemExit("PyTorch's training ended without figures; what it said stands above")
    return json.loads(child.stdout)


def parts_of(membership: dict) -> dict:
    """The rows of each part; one that is left out of all of them is in none."""
    rows = enumerate(membership["assignments"])
    parts = {"train": [], "validation": [], "test": []}
    for row, part in rows:
        if part in parts:
            parts[part].append(row)
    return parts


def of_parts(metrics: dict) -> dict:
    return {part["part"]: {"top1": part["top1"], "loss": part["loss"]} for part in metrics["parts"]}


def show(report: dict) -> None:
    for key, value in report["machine"].items():
        print(f"- {key}: {value}")
    print(f"- pipeline: {report['pipeline']}\n\n| run | part | kfood: top-1 | loss | PyTorch: top-1 | loss |\n|---|---|---|---|---|---|")
    runs = report["runs"]
    for run in runs:
        for part in ("train", "validation", "test"):
            ours, theirs = run["kfood"][part], run["PyTorch"][part]
            print(f"| {run['stage']} | {part} | {ours['top1']:.1%} | {ours['loss']:.3f} | {theirs['top1']:.1%} | {theirs['loss']:.3f} |")
    if len(runs) < 2:
        return
    print("\n| part, over the runs | kfood | PyTorch | difference | pooled standard errors |\n|---|---|---|---|---|")
    for part in ("train", "validation", "test"):
        ours, theirs = ([run[who][part]["top1"] for run in runs] for who in ("kfood", "PyTorch"))
        means, spreads = [statistics.mean(x) for x in (ours, theirs)], [statistics.stdev(x) for x in (ours, theirs)]
        error = (statistics.mean(s * s for s in spreads) * 2 / len(runs)) ** 0.5
        apart = means[0] - means[1]
        print(f"| {part} | {means[0]:.1%} ± {spreads[0]:.1%} | {means[1]:.1%} ± {spreads[1]:.1%} | {100 * apart:+.1f} points | {abs(apart) / error if error else float('nan'):.1f} |")


if __name__ == "__main__":
    main()
