"""A small project of all kinds of stages, what it gives undisturbed, and what may be said of it after a fault."""

import json
import os
import shutil
import subprocess
import tomllib
from pathlib import Path

# What needs no tensors is quick: it is run most often.
LIGHT = """\
seed = 7
[dataset.dishes]
train = "data"
[split.holdout]
dataset = "dishes"
validation = 0.25
test = 0.25
[split.folds]
dataset = "dishes"
folds = 3
test = 0.25
[preprocess.pixels]
dataset = "dishes"
resize = { width = 16, height = 16 }
[preprocess.rows]
dataset = "dishes"
resize = { short_side = 24, crop = 16 }
storage = "jpeg"
unreadable = "drop"
"""
WHOLE = (
    LIGHT
    + """\
[train.net]
data = "pixels"
split = "holdout"
arch = "resnet18"
epochs = 2
batch_size = 8
optimizer.sgd = { lr = 0.01 }
save = { every = "1s" }
matrix.seed = [1, 2]
[select.best]
from = ["net"]
[average.mean]
from = ["net"]
[ensemble.both]
from = ["net"]
[transfer.again]
model = "best"
data = "pixels"
split = "holdout"
epochs = 1
batch_size = 8
optimizer.sgd = { lr = 0.01 }
train_layers = "head"
[evaluate.result]
model = "best"
[evaluate.together]
model = "both"
[calibrate.sure]
from = "result"
[audit.labels]
from = "result"
"""
)
TEXTS = {"light": LIGHT, "whole": WHOLE}
FILE = "pipelines/p.toml"
# No command takes this long, whatever else runs.
PATIENCE = 300


class Reference:
    """What a pipeline gives undisturbed: the digests of all outputs, and what commands show."""

    def __init__(self, folder: Path, pipeline: str):
        self.folder, self.pipeline = folder, pipeline
        self.outputs = outputs(folder)

    @classmethod
    def made(cls, program: Path, work: Path, pipeline: str) -> "Reference":
        folder = work / f"reference-{pipeline}"
        folder.joinpath("pipelines").mkdir(parents=True)
        run([program, "sample", work / "sample"], work, check=True)
        for number, photograph in enumerate(sorted(work.joinpath("sample/train").glob("*/*"))):
            if number % 4 == 0:
                to = folder / "data" / photograph.parent.name / photograph.name
                to.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(photograph, to)
        shutil.rmtree(work / "sample")
        folder.joinpath(FILE).write_text(TEXTS[pipeline])
        run([program, "run", FILE], folder, check=True)
        made = cls(folder, pipeline)
        made.shown = {name: shown(program, folder, command) for name, command in made.commands().items()}
        for name, what in made.shown.items():
            if what is None:
                raise SystemExit(f"`kfood {' '.join(made.commands()[name])}` shows nothing of an undisturbed run: there is nothing to compare with")
        return made

    def commands(self) -> dict[str, list[str]]:
        """Commands that show results, each writing what can be compared to `out`."""
        all_kinds = {"data": ["data", FILE, "--json"]}
        if self.pipeline == "whole":
            all_kinds |= {
                "export": ["export", f"{FILE}:best", "out.safetensors"],
                "predict": ["predict", "--model", f"{FILE}:best", "data", "-o", "out.csv"],
                "mistakes": ["mistakes", f"{FILE}:result", "--json"],
            }
        return all_kinds

    def forget(self) -> None:
        shutil.rmtree(self.folder)


class Project:
    """A copy of a reference, for one trial."""

    def __init__(self, program: Path, folder: Path, reference: Reference):
        self.program, self.folder, self.reference = program, folder, reference
        folder.joinpath("pipelines").mkdir(parents=True)
        shutil.copytree(reference.folder / "data", folder / "data")
        shutil.copy2(reference.folder / FILE, folder / FILE)

    @property
    def cache(self) -> Path:
        return self.folder / "cache"

    def finished(self) -> None:
        """Gives it the reference's results."""
        shutil.copytree(self.reference.folder / "cache", self.cache)
        shutil.copy2(self.reference.folder / "pipelines/p.lock", self.folder / "pipelines/p.lock")

    def start(self, *before: str, **more) -> subprocess.Popen:
        command = [*before, str(self.program), "run", FILE]
        return subprocess.Popen(command, cwd=self.folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=alone(), **more)

    def shows_nothing_wrong(self, draws) -> str | None:
        """A command that shows results must show those of the reference, or say that it cannot."""
        name, command = draws.choice(sorted(self.reference.commands().items()))
        found = shown(self.program, self.folder, command)
        if found is not None and found != self.reference.shown[name]:
            return f"`kfood {' '.join(command)}` showed something else"
        return None

    def heals(self) -> str | None:
        """A plain run, and then all is as it would be without the fault."""
        ended = run([self.program, "run", FILE], self.folder)
        if ended.returncode != 0:
            return f"a plain run ended with {ended.returncode}: {ended.stderr[-2000:]}"
        found = outputs(self.folder)
        if found != self.reference.outputs:
            differ = [stage for stage in self.reference.outputs if found.get(stage) != self.reference.outputs[stage]]
            return f"other outputs: {differ}"
        # What lies beside a result (times, what may be gone on from) is no part of it: a run has no need to look there, and `verify`
        # names it and takes it away. Then a run gives the same again, and nothing is left to find.
        verify = [self.program, "cache", "verify"]
        if run(verify, self.folder).returncode == 0:
            return None
        again = run([self.program, "run", FILE], self.folder)
        if again.returncode or outputs(self.folder) != self.reference.outputs:
            return f"after `cache verify` a run ended with {again.returncode}: {again.stderr[-2000:]}"
        verified = run(verify, self.folder)
        return f"`cache verify` twice: {verified.stdout}{verified.stderr}" if verified.returncode else None

    def forget(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)


def alone() -> dict[str, str]:
    """The environment without what a user has set."""
    return {name: value for name, value in os.environ.items() if not name.startswith("KFOOD_")}


def run(command: list, folder: Path, check: bool = False) -> subprocess.CompletedProcess:
    ended = subprocess.run(command, cwd=folder, env=alone(), capture_output=True, text=True, errors="replace", timeout=PATIENCE)
    if check and ended.returncode:
        raise SystemExit(f"{command} ended with {ended.returncode}:\n{ended.stderr}")
    return ended


def outputs(folder: Path) -> dict:
    """The digests of all outputs, from the lock file."""
    lock = tomllib.loads(folder.joinpath("pipelines/p.lock").read_text())
    return {stage: found["outputs"] for stage, found in lock["stages"].items()}


def shown(program: Path, folder: Path, command: list[str]) -> str | bytes | None:
    """What a command shows or writes; nothing where it refuses."""
    written = [folder / name for name in command if name.startswith("out.")]
    for path in written:
        path.unlink(missing_ok=True)
    ended = run([program, *command], folder)
    if ended.returncode:
        return None
    if written:
        # Places on the disk are the trial's own.
        return written[0].read_bytes().replace(bytes(folder), b"")
    found = json.loads(ended.stdout)
    return json.dumps(found, sort_keys=True).replace(str(folder), "")
