"""kfood, DVC and Snakemake, each with the same three pipelines in its own words: a chain of five stages, one of two hundred, and one stage over
a folder of photographs."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
import tomllib
from dataclasses import dataclass
from pathlib import Path

# No command takes this long.
PATIENCE = 600
WIDE = 200
# The branch of those that is edited.
EDITED = 100
# What a stage of a peer does: it reads its inputs and writes what it read, in two pieces.
WORK = """\
import hashlib, pathlib, sys, time
out, seconds, *inputs = sys.argv[1:]
files = sorted(f for i in map(pathlib.Path, inputs) for f in ([i] if i.is_file() else i.rglob("*")) if f.is_file())
read = "".join(f"{hashlib.blake2b(f.read_bytes()).hexdigest()[:16]}\\n" for f in files)
with open(out, "a") as to:
    to.write("begun\\n")
    to.flush()
    time.sleep(float(seconds))
    to.write(read)
"""


@dataclass
class Ran:
    """How a command went."""

    code: int
    seconds: float
    told: str


class Tool:
    """A runner in a folder of its own."""

    name = ""

    def __init__(self, program: str, folder: Path):
        self.program, self.folder = program, folder
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        (folder / "work.py").write_text(WORK)

    def command(self, *arguments: str) -> list[str]:
        return [self.program, *arguments]

    def ran(self, *arguments: str) -> Ran:
        since = time.perf_counter()
        ended = subprocess.run(self.command(*arguments), cwd=self.folder, env=alone(), capture_output=True, text=True, timeout=PATIENCE)
        return Ran(ended.returncode, time.perf_counter() - since, ended.stdout + ended.stderr)

    def start(self) -> subprocess.Popen:
        command = self.command(*self.RUN)
        quiet = subprocess.DEVNULL
        return subprocess.Popen(command, cwd=self.folder, env=alone(), stdin=quiet, stdout=quiet, stderr=quiet, start_new_session=True)

    def run(self) -> Ran:
        return self.ran(*self.RUN)

    def plan(self) -> Ran:
        return self.ran(*self.PLAN)

    def version(self) -> Ran:
        return self.ran("--version")

    def input(self, place: int = 0) -> Path:
        """A file that the pipeline reads."""
        return sorted(f for f in (self.folder / "data").rglob("*") if f.is_file())[place]

    def kill(self) -> None:
        """Starts a run, and kills the runner alone while its stage is at work."""
        child = self.start()
        self.at_work(child)
        child.send_signal(signal.SIGKILL)
        child.wait()

    def at_work(self, child: subprocess.Popen) -> None:
        """Until a stage has begun."""
        for _ in range(600):
            if child.poll() is None and self.has_begun():
                return
            if child.poll() is not None:
                break
            time.sleep(0.01)
        raise SystemExit(f"{self.name} was not met at work")


class Peer(Tool):
    """A runner of commands: a stage is `work.py`."""

    def has_begun(self) -> bool:
        return (self.folder / "out").exists()

    def photographs(self, data: Path) -> None:
        os.symlink(data, self.folder / "data")

    def texts(self, *texts: str) -> None:
        """One input file for each text."""
        (self.folder / "data").mkdir()
        for number, text in enumerate(texts):
            (self.folder / f"data/{number}.txt").write_text(text)

    def chain(self) -> None:
        self.texts("rice")
        stages = [(f"s{i}", f"o{i}", "data/0.txt" if i == 0 else f"o{i - 1}") for i in range(5)]
        self.write([(name, out, [read], 0.0) for name, out, read in stages])

    def wide(self) -> None:
        """One stage that 198 read, and one that reads those: 200."""
        self.texts("rice")
        self.branch(0)

    def branch(self, edit: int) -> None:
        """The settings of one branch become others, the Nth time: it runs again, and gives what it gave."""
        middle = [(f"m{i}", f"m{i}.out", ["first.out"], edit / 1000 if i == EDITED else 0.0) for i in range(WIDE - 2)]
        last = ("last", "last.out", [out for _, out, _, _ in middle], 0.0)
        self.write([("first", "first.out", ["data/0.txt"], 0.0), *middle, last])

    def one(self, seconds: float) -> None:
        self.write([("only", "out", ["data"], seconds)])

    def result(self) -> str | None:
        """What the last stage gave."""
        out = self.folder / "out"
        return out.read_text() if out.is_file() else None


class Dvc(Peer):
    """DVC without git."""

    name = "DVC"
    RUN = ("repro", "--quiet")
    PLAN = ("status",)

    def __init__(self, program: str, folder: Path):
        super().__init__(program, folder)
        self.ran("init", "--no-scm", "--quiet")
        self.ran("config", "core.analytics", "false")

    def write(self, stages) -> None:
        def stage(out, inputs, seconds):
            return {"cmd": " ".join([sys.executable, "work.py", out, str(seconds), *inputs]), "deps": ["work.py", *inputs], "outs": [out]}

        text = {"stages": {name: stage(out, inputs, seconds) for name, out, inputs, seconds in stages}}
        (self.folder / "dvc.yaml").write_text(json.dumps(text))

    def pending(self) -> bool:
        return self.ran("status", "--quiet").code != 0

    def stored(self) -> Path:
        """The result in the cache: a copy of what lies in the folder."""
        files = [f for f in (self.folder / ".dvc/cache/files").rglob("*") if f.is_file()]
        return next(f for f in files if f.read_text().startswith("begun"))

    def lose_result(self) -> None:
        (self.folder / "out").unlink()


class Snakemake(Peer):
    """Snakemake with two cores."""

    name = "Snakemake"
    RUN = ("--cores", "2")
    PLAN = ("--cores", "2", "--dry-run")

    def write(self, stages) -> None:
        text = ["rule target:", f"    input: {json.dumps(stages[-1][1])}", ""]
        for name, out, inputs, seconds in stages:
            # A folder is named file by file: as a whole Snakemake looks at its own time alone.
            read = "[str(f) for f in sorted(pathlib.Path('data').rglob('*')) if f.is_file()]" if inputs == ["data"] else json.dumps(inputs)
            shell = f"{sys.executable} work.py {out} {seconds} {' '.join(inputs)}"
            text += [f"rule {name}:", f"    input: {read}", f"    output: {json.dumps(out)}", f"    shell: {json.dumps(shell)}", ""]
        (self.folder / "Snakefile").write_text("import pathlib\n" + "\n".join(text))

    def pending(self) -> bool:
        return "Nothing to be done" not in self.ran("--cores", "2", "--dry-run").told

    def stored(self) -> None:
        return None


class Kfood(Tool):
    """kfood: a stage is one of its own kinds, so a chain of five ends with an evaluation."""

    name = "kfood"
    FILE = "pipelines/p.toml"
    RUN = ("run", FILE)
    PLAN = ("plan", FILE)
    DATA = '[dataset.dishes]\ntrain = "data"\n\n'
    PIXELS = '[preprocess.pixels]\ndataset = "dishes"\nresize = {{ width = {side}, height = {side} }}\n\n'

    def write(self, text: str) -> None:
        (self.folder / "pipelines").mkdir(exist_ok=True)
        (self.folder / self.FILE).write_text(text)

    def photographs(self, data: Path) -> None:
        os.symlink(data, self.folder / "data")

    def sample(self) -> None:
        self.ran("sample", "sample")
        shutil.copytree(self.folder / "sample/train", self.folder / "data")
        shutil.rmtree(self.folder / "sample")

    def chain(self) -> None:
        self.sample()
        split = '[split.holdout]\ndataset = "dishes"\nvalidation = 0.2\n\n'
        train = '[train.net]\ndata = "pixels"\nsplit = "holdout"\narch = "resnet18"\nepochs = 1\nbatch_size = 64\noptimizer.sgd = { lr = 0.01 }\n\n'
        evaluate = '[evaluate.result]\nmodel = "net"\non = ["validation"]\n'
        self.write(self.DATA + split + self.PIXELS.format(side=16) + train + evaluate)

    def wide(self) -> None:
        self.sample()
        self.branch(0)

    def branch(self, edit: int) -> None:
        """One split of all has another seed."""
        seeds = [seed + WIDE * edit if seed == EDITED else seed for seed in range(1, WIDE)]
        self.write(self.DATA + f'[split.holdout]\ndataset = "dishes"\nvalidation = 0.2\nmatrix.seed = {seeds}\n')

    def one(self, seconds: float) -> None:
        """With `seconds`, photographs become pixels: a stage that takes a while."""
        self.write(self.DATA + (self.PIXELS.format(side=224) if seconds else ""))

    def has_begun(self) -> bool:
        return any((self.folder / "cache/attempts").glob("*/state/rows/pixels.pack"))

    def pending(self) -> bool:
        return self.plan().code == 3

    def result(self) -> str | None:
        """The digests of all outputs, as the lock file has them."""
        lock = self.folder / "pipelines/p.lock"
        if not lock.is_file():
            return None
        stages = tomllib.loads(lock.read_text())["stages"]
        return json.dumps({name: stage["outputs"] for name, stage in stages.items()}, sort_keys=True)

    def stored(self) -> Path:
        return next((self.folder / "cache/entries").glob("*/*/pixels.pack"))

    def lose_result(self) -> None:
        """Results lie in the cache alone."""


def alone() -> dict:
    """An environment without a kfood of elsewhere and without telemetry."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("KFOOD_", "DVC_", "SNAKEMAKE_"))}
    return kept | {"DVC_NO_ANALYTICS": "true", "DO_NOT_TRACK": "1"}
