"""A small project of all kinds of stages, what it gives undisturbed, and what may be said of it after a fault."""

import fcntl
import json
import os
import re
import shutil
import signal
import subprocess
import time
import tomllib
from collections import Counter
from pathlib import Path

from peers.program import children

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
# A thread for each worker: on a busy machine several wait for each other most of the time, and a training takes ten times as long.
SETTINGS = "".join(f"[run.{kind}]\ncores = 1\n" for kind in ["train", "transfer", "average", "ensemble", "evaluate"])
# No command takes this long, whatever else runs.
PATIENCE = 300
# Of a report: what a run took, and what is said of stages that have yet to run.
TIMES = re.compile(r"\n## Time and memory\n.*?(?=\n## |\Z)", re.DOTALL)
STATE = re.compile(r"Warning|no result|earlier result|unfinished|so far|Fingerprint|^\\| cpu |has to run|have to run|Nothing was evaluated|^## Training")


class Hung(Exception):
    """A command did not end."""


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
        folder.joinpath("kfood.toml").write_text(SETTINGS)
        began = time.monotonic()
        run([program, "run", FILE], folder, check=True)
        made = cls(folder, pipeline)
        made.took = time.monotonic() - began
        made.shown = {name: shown(program, folder, command)[0] for name, command in made.commands().items()}
        for name, what in made.shown.items():
            if not what:
                raise SystemExit(f"`kfood {' '.join(made.commands()[name])}` shows nothing of an undisturbed run: there is nothing to compare with")
        return made

    def commands(self) -> dict[str, list[str]]:
        """Commands that show results, each writing what can be compared to `out`."""
        all_kinds = {"data": ["data", FILE, "--json"], "report": ["report", FILE], "cache": ["cache", "ls", "--json"]}
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
        for name in (FILE, "kfood.toml"):
            shutil.copy2(reference.folder / name, folder / name)
        self.started: list[subprocess.Popen] = []
        self.edited = False
        # A pipe, which no limit on files and no full disk reaches; nobody empties it meanwhile, so it has room for all.
        self.said, self.says = os.pipe()
        fcntl.fcntl(self.says, fcntl.F_SETPIPE_SZ, 1 << 20)
        os.set_blocking(self.said, False)

    @property
    def cache(self) -> Path:
        return self.folder / "cache"

    def finished(self) -> None:
        """Gives it the reference's results."""
        shutil.copytree(self.reference.folder / "cache", self.cache)
        shutil.copy2(self.reference.folder / "pipelines/p.lock", self.folder / "pipelines/p.lock")

    def start(self, *before: str, **more) -> subprocess.Popen:
        command = [*before, str(self.program), "run", FILE]
        child = subprocess.Popen(command, cwd=self.folder, stdout=subprocess.DEVNULL, stderr=self.says, env=alone(), **more)
        self.started.append(child)
        return child

    def says_what_is_wrong(self) -> str | None:
        """What the disturbed runs said: each has one message at most, in words."""
        said = b""
        try:
            while part := os.read(self.said, 1 << 20):
                said += part
        except BlockingIOError:
            pass
        return unclear(said.decode(errors="replace"), len(self.started))

    def shows_nothing_wrong(self, draws) -> str | None:
        """Commands that show results must show those of the reference, or say that they cannot. Two of all are drawn, for time's sake."""
        for name, command in draws.sample(sorted(self.reference.commands().items()), 2):
            found, said = shown(self.program, self.folder, command)
            # Of photographs that were others for a while there may be results too, right ones: a list shows them, and a report with a warning.
            if self.edited and name in ("cache", "report"):
                continue
            if found is not None and not is_part(name, found, self.reference.shown[name]):
                return f"`kfood {' '.join(command)}` showed something else: {others(found, self.reference.shown[name])}"
            if problem := unclear(said, 1):
                return f"`kfood {' '.join(command)}`: {problem}"
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
        report, _ = shown(self.program, self.folder, self.reference.commands()["report"])
        if report != self.reference.shown["report"]:
            return f"another report: {others(report, self.reference.shown['report'])}"
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
        for child in self.started:
            if child.poll() is None:
                end(child.pid)
                child.wait()
        os.close(self.said)
        os.close(self.says)
        shutil.rmtree(self.folder, ignore_errors=True)


def end(pid: int) -> None:
    """Kills a process and all below it: what hangs may have a worker, and strace a runner."""
    below = children(pid)
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    for child in below:
        end(child)


def unclear(said: str, runs: int) -> str | None:
    """What is wrong with the messages of so many commands; nothing where each has one at most for each stage that failed, as two may at once."""
    if "panicked" in said:
        return f"a panic: {said[-2000:]}"
    errors = Counter(re.findall(r"^error: ?(stage `[^`]*`)?", said, re.MULTILINE))
    if max(errors.values(), default=0) > runs:
        return f"several errors for one thing: {said[-2000:]}"
    return None


def is_part(name: str, found: str | bytes, whole: str | bytes) -> bool:
    """Whether what a command shows is the reference's. A report and a list of the cache may show less of it, and a report says what is missing."""
    if name == "cache":
        return set(json.loads(found)) <= set(json.loads(whole))
    if name == "report":
        return not others(found, whole)
    return found == whole


def others(found: str | bytes | None, whole: str | bytes) -> str:
    """Lines that the reference does not show, but for what a report says of stages that are yet to run."""
    if not isinstance(found, str):
        return ""
    known = set(whole.splitlines())
    return "\n".join(line for line in found.splitlines() if line not in known and not STATE.search(line))[:2000]


def alone() -> dict[str, str]:
    """The environment without what a user has set."""
    return {name: value for name, value in os.environ.items() if not name.startswith("KFOOD_")}


def run(command: list, folder: Path, check: bool = False) -> subprocess.CompletedProcess:
    """With `check`, what everything else is compared with: it must end well, and may take longer."""
    patience = PATIENCE * (6 if check else 1)
    try:
        ended = subprocess.run(command, cwd=folder, env=alone(), capture_output=True, text=True, errors="replace", timeout=patience)
    except subprocess.TimeoutExpired as late:
        raise Hung(f"`{' '.join(map(str, command))}` did not end within {patience} s") from late
    if check and ended.returncode:
        raise SystemExit(f"{command} ended with {ended.returncode}:\n{ended.stderr}")
    return ended


def outputs(folder: Path) -> dict:
    """The digests of all outputs, from the lock file."""
    lock = tomllib.loads(folder.joinpath("pipelines/p.lock").read_text())
    return {stage: found["outputs"] for stage, found in lock["stages"].items()}


def shown(program: Path, folder: Path, command: list[str]) -> tuple[str | bytes | None, str]:
    """What a command shows or writes (nothing where it refuses), and what it says beside that."""
    written = [folder / name for name in command if name.startswith("out.")]
    for path in written:
        path.unlink(missing_ok=True)
    ended = run([program, *command], folder)
    if ended.returncode:
        return None, ended.stderr
    # Places on the disk are the trial's own, and so is the time that it took.
    if written:
        return written[0].read_bytes().replace(bytes(folder), b""), ended.stderr
    if command[0] == "report":
        return TIMES.sub("", ended.stdout).replace(str(folder), ""), ended.stderr
    found = json.loads(ended.stdout)
    if command[:2] == ["cache", "ls"]:
        found = sorted(f"{entry['kind']} {entry['stage']} {entry['key']}" for entry in found["entries"])
    return json.dumps(found, sort_keys=True).replace(str(folder), ""), ended.stderr
