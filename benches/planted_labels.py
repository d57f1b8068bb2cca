"""How many planted wrong labels an audit finds, where the models trained on them too.

    python benches/planted_labels.py --photographs /path/to/korean20 --seeds 1 2 3

Three folds judge every training image of the folder's `train` by a model that never saw it: first by the labels as they are, which says which
class each class is confused with most; then with 5% of the labels made wrong, drawn by the seed, to any other class or to that one. The audit
of each is compared with what was planted. ResNet-18 from scratch, rows of 64 px, 10 epochs: short, so the models are wrong about many images
themselves. Nothing beside Python is needed.
"""

import argparse
import collections
import csv
import io
import pathlib
import random
import subprocess
import tempfile

PIPELINE = """
seed = SEED

[dataset.photos]
manifest = "LIST"

[split.thirds]
dataset = "photos"
folds = 3

[preprocess.pixels]
dataset = "photos"
resize = { width = 64, height = 64 }

[train.net]
data = "pixels"
split = "thirds"
fold = "all"
arch = "resnet18"
epochs = EPOCHS
batch_size = 32
optimizer.adamw = { lr = 0.002, weight_decay = 0.05 }
schedule.one_cycle = {}
augment = [{ random_resized_crop = { size = 64, scale = [0.35, 1.0] } }, { random_horizontal_flip = 0.5 }]
normalize = "dataset"

[evaluate.judged]
model = "net"
checkpoint = "last"
on = ["validation"]

[audit.suspicious]
from = "judged"
"""
FOLDS = 3


class Trial:
    """One list of photographs with labels, its pipeline and its results. All trials share a cache, and so the rows of pixels."""

    def __init__(self, kfood, folder, name, rows, seed, epochs):
        self.kfood, self.folder, self.file = kfood, folder, f"{name}.toml"
        with open(folder / f"{name}.csv", "w", newline="", encoding="utf-8") as out:
            csv.writer(out).writerows([["path", "label"], *rows])
        text = PIPELINE.replace("SEED", str(seed)).replace("EPOCHS", str(epochs)).replace("LIST", f"{name}.csv")
        (folder / self.file).write_text(text, encoding="utf-8")
        self.call("run", self.file)

    def call(self, *arguments):
        done = subprocess.run([self.kfood, *arguments], cwd=self.folder, capture_output=True, text=True, check=False)
        if done.returncode:
            raise SystemExit(done.stderr)
        return done.stdout

    def rows(self, stage, output):
        return list(csv.DictReader(io.StringIO(self.call("show", f"{self.file}:{stage}", output))))

    def judged(self):
        """(true, guessed) of every training image."""
        rows = [row for fold in range(FOLDS) for row in self.rows(f"judged[fold={fold}]", "predictions.csv")]
        return [(row["label"], row["predicted"]) for row in rows]

    def accused(self):
        """Paths whose label looks wrong, the worst first; names begin with their part."""
        return [row["path"].removeprefix("train/") for row in self.rows("suspicious", "corrections.csv")]


def confused_with(judged):
    """For each class the one that its images are taken for most often, of those that are taken for another."""
    counts = collections.defaultdict(collections.Counter)
    for label, guess in judged:
        if label != guess:
            counts[label][guess] += 1
    return {label: max(sorted(counter), key=counter.get) for label, counter in counts.items()}


def planted(rows, seed, share, other):
    """The list with labels made wrong, and the paths of those."""
    draw = random.Random(seed)
    wrong = set(draw.sample(range(len(rows)), round(share * len(rows))))
    changed = [[path, other(draw, label) if i in wrong else label] for i, (path, label) in enumerate(rows)]
    return changed, {rows[i][0] for i in wrong}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kfood", default="target/release/kfood")
    parser.add_argument("--photographs", required=True, help="a folder with `train`, and in it a folder for each class")
    parser.add_argument("--seeds", nargs="+", type=int, default=[1, 2, 3])
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--share", type=float, default=0.05)
    arguments = parser.parse_args()
    kfood = str(pathlib.Path(arguments.kfood).resolve())
    train = pathlib.Path(arguments.photographs).resolve() / "train"
    with tempfile.TemporaryDirectory() as folder:
        root = pathlib.Path(folder)
        (root / "kfood.toml").write_text("", encoding="utf-8")
        (root / "photos").symlink_to(train)
        files = sorted(path.relative_to(train) for path in train.glob("*/*") if path.is_file())
        rows = [[f"photos/{path}", path.parent.name] for path in files]
        classes = sorted({label for _, label in rows})
        print("seed  wrong labels                  images  planted  top-1  listed  precision  recall  planted among the first as many")
        for seed in arguments.seeds:
            clean = Trial(kfood, root, f"{seed}-clean", rows, seed, arguments.epochs)
            most = confused_with(clean.judged())
            tell(seed, "none", clean, set(), len(rows))
            kinds = {
                "to any class": lambda draw, label: draw.choice([c for c in classes if c != label]),
                "to the most confused class": lambda draw, label: most[label],
            }
            for kind, other in kinds.items():
                changed, wrong = planted(rows, seed, arguments.share, other)
                trial = Trial(kfood, root, f"{seed}-{kind.split()[-2]}", changed, seed, arguments.epochs)
                tell(seed, kind, trial, wrong, len(rows))


def tell(seed, kind, trial, wrong, images):
    judged = trial.judged()
    top1 = sum(label == guess for label, guess in judged) / len(judged)
    accused = trial.accused()
    found = [path in wrong for path in accused]
    precision = f"{sum(found) / len(accused):.0%}" if wrong else "-"
    recall = f"{sum(found) / len(wrong):.0%}" if wrong else "-"
    first = f"{sum(found[: len(wrong)])}" if wrong else "-"
    print(f"{seed:4}  {kind:28}  {images:6}  {len(wrong):7}  {top1:5.1%}  {len(accused):6}  {precision:>9}  {recall:>6}  {first}", flush=True)


if __name__ == "__main__":
    main()
