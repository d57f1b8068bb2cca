"""Runs what `kfood new` writes: every template made shorter, and one file as it is.

    make build
    python tests/new_parity.py --kfood target/release/kfood --sample data/sample        # Pillow; a minute on two cores

A few of the drawn photographs of `kfood sample` are made as small as 32 px, which the pipelines then take as their size. Every template but
the first is cut to one epoch, and the first runs as it was written: what it promised and what its training took is printed beside each
other. Every run has to end well and to tell each of its evaluations. Exits with 1 if one does not.
"""

import argparse
import json
import pathlib
import re
import subprocess
import sys
import tempfile
import time

import PIL.Image

# Two data sets by their classes and photographs of each; a transfer goes from the first to the second.
SETS = {"photos": (3, 8), "others": (2, 8)}
SIDE = 32
TEMPLATES = {"first": ["photos"], "mission": ["photos"], "sweep": ["photos"], "folds": ["photos"], "transfer": ["photos", "others"]}
# Runs as it is.
UNEDITED = "first"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kfood", required=True, type=pathlib.Path)
    parser.add_argument("--sample", required=True, type=pathlib.Path, help="what `kfood sample` wrote")
    options = parser.parse_args()
    kfood, sample = options.kfood.resolve(), options.sample.resolve()
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder).resolve()
        # Not a project above it.
        (folder / "pipelines").mkdir()
        photographs(sample, folder)
        good = [runs(kfood, folder, template, sets) for template, sets in TEMPLATES.items()]
    sys.exit(0 if all(good) else 1)


def photographs(sample, folder):
    classes = iter(sorted(path for path in (sample / "train").iterdir() if path.is_dir()))
    for name, (count, each) in SETS.items():
        for _ in range(count):
            theirs = next(classes)
            (folder / name / theirs.name).mkdir(parents=True)
            for file in sorted(theirs.iterdir())[:each]:
                PIL.Image.open(file).convert("RGB").resize((SIDE, SIDE)).save(folder / name / theirs.name / f"{file.stem}.png")


def runs(kfood, folder, template, sets):
    file = f"pipelines/{template}.toml"
    written = ask(kfood, folder, "new", *sets, "--template", template, "--name", template)
    if written is None:
        return report(False, f"{template}: not written")
    text = (folder / file).read_text()
    as_written = template == UNEDITED
    if not as_written:
        text, changed = re.subn(r"(?m)^epochs = \d+$", "epochs = 1", text)
        (folder / file).write_text(text)
        if changed == 0:
            return report(False, f"{template}: there are no epochs to make fewer\n{text}")
    since = time.monotonic()
    ran = ask(kfood, folder, "run", file, "--json")
    took = time.monotonic() - since
    if ran is None:
        return report(False, f"{template}: ended badly")
    ran = json.loads(ran)
    told = [row["evaluation"].split("[")[0] for row in ran["results"]["rows"]]
    lacks = [name for name in re.findall(r"(?m)^\[evaluate\.(\w+)\]", text) if name not in told]
    trainings = [stage["seconds"] for stage in ran["stages"] if stage["kind"] in ("train", "transfer")]
    promised = re.search(r"takes about (.+?) on", written)[1]
    beside = f"its training was promised to take {promised} and took {trainings[0]:.1f} s" if as_written else f"{len(trainings)} trainings of one epoch"
    # Stages that do the same work under two names run once.
    good = bool(told) and not lacks and all(stage["outcome"] in ("ran", "cached") for stage in ran["stages"])
    return report(good, f"{template:9} {len(ran['stages'])} stages, {beside}; {took:.1f} s" + (f"; not told: {lacks}" if lacks else ""))


def ask(kfood, folder, *words):
    ran = subprocess.run([kfood, *words], cwd=folder, capture_output=True, text=True)
    if ran.returncode != 0:
        print(f"`kfood {' '.join(words)}` ended with {ran.returncode}:\n{ran.stdout}{ran.stderr}")
        return None
    return ran.stdout


def report(good, text):
    print(f"{'ok  ' if good else 'FAIL'} {text}", flush=True)
    return good


if __name__ == "__main__":
    main()
