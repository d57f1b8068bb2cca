"""Runs the `kfood` program as a user does, and reads what it left behind. Needs nothing but Python (`rows` needs numpy)."""

import json
import os
import re
import shutil
import signal
import subprocess
import threading
import time
from dataclasses import dataclass
from pathlib import Path

PIPELINE = """\
[dataset.photographs]
train = {folder}

[preprocess.pixels]
dataset = "photographs"
resize = {{ width = {side}, height = {side} }}
quality = "{quality}"
unreadable = "{unreadable}"
"""


def children(pid: int) -> list[int]:
    """The processes that one has started; none where it has ended."""
    try:
        tasks = list(Path(f"/proc/{pid}/task").iterdir())
        return [int(child) for task in tasks for child in (task / "children").read_text().split()]
    except OSError:
        return []


@dataclass
class Ran:
    """How one run of the program went."""

    code: int  # exit status; below 0 the signal that ended it
    timed_out: bool
    wall: float  # seconds, from before its start to after its end
    cpu: float  # seconds of CPU time of all its threads, in the program and in the system
    peak: int  # largest resident memory in bytes
    out: str
    err: str

    def stages(self) -> dict:
        """The rows of `--json` by stage id; empty where there is none."""
        try:
            return {stage["id"]: stage for stage in json.loads(self.out)["stages"]}
        except (ValueError, KeyError):
            return {}

    def decoded(self) -> int | None:
        """How many images it says it decoded, where it says so."""
        found = re.search(r"decoded (\d[\d,_]*)", self.err)
        return int(re.sub(r"\D", "", found[1])) if found else None

    def checked(self) -> "Ran":
        """Itself, or an error with what the program said."""
        if self.code != 0:
            raise SystemExit(f"`kfood` ended with {self.code}:\n{self.err}")
        return self


class Project:
    """A folder with one pipeline file (a dataset and a preprocess) and a cache of its own."""

    def __init__(self, program: Path, folder: Path, images: Path, side=224, quality="fast", unreadable="fail"):
        self.program, self.folder, self.cache = program, folder, folder / "cache"
        folder.mkdir(parents=True, exist_ok=True)
        self.file = folder / "pipeline.toml"
        text = json.dumps(str(images.resolve()), ensure_ascii=False)
        self.file.write_text(PIPELINE.format(folder=text, side=side, quality=quality, unreadable=unreadable))

    def forget(self) -> None:
        """Empties the cache."""
        shutil.rmtree(self.cache, ignore_errors=True)

    def run(self, cpus: list[int] | None = None, timeout: float = 3600) -> Ran:
        """One `kfood run`, on these cores alone."""
        cpus = cpus or sorted(os.sched_getaffinity(0))
        env = os.environ | {"KFOOD_CACHE": str(self.cache.resolve()), "RAYON_NUM_THREADS": str(len(cpus))}
        with open(self.folder / "out", "w+") as out, open(self.folder / "err", "w+") as err:
            start = time.perf_counter()
            child = subprocess.Popen(
                [self.program, "run", self.file, "--json"],
                stdout=out, stderr=err, stdin=subprocess.DEVNULL, env=env,
                preexec_fn=lambda: os.sched_setaffinity(0, cpus),
            )
            late = threading.Event()
            timer = threading.Timer(timeout, lambda: (late.set(), child.send_signal(signal.SIGKILL)))
            timer.start()
            _, status, usage = os.wait4(child.pid, 0)
            wall = time.perf_counter() - start
            timer.cancel()
            child.returncode = code = os.waitstatus_to_exitcode(status)
            out.seek(0), err.seek(0)
            return Ran(code, late.is_set(), wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024, out.read(), err.read())

    def output(self, name: str) -> Path:
        """The newest file of this name in the cache."""
        found = sorted(self.cache.rglob(name), key=lambda path: path.stat().st_mtime_ns)
        if not found:
            raise SystemExit(f"no `{name}` in `{self.cache}`")
        return found[-1]

    def listed(self) -> list[str]:
        """The images in their order, relative to the folder that the project was made with."""
        paths = json.loads(self.output("images.json").read_text())["paths"]
        return [path.removeprefix("train/") for path in paths]


def rows(pack: Path):
    """The rows of a pack with `storage = "raw"`: an array of n x height x width x 3, memory-mapped. `src/data/pack_layout.rs` has the format."""
    import numpy as np

    with open(pack, "rb") as file:
        header = file.read(64)
    width, height, channels, storage = np.frombuffer(header, "<u4", 4, 8).tolist()
    count, stride = np.frombuffer(header, "<u8", 2, 24).tolist()
    if header[:8] != b"KFOODPK2" or channels != 3 or storage != 0:
        raise SystemExit(f"`{pack}` is no raw pack of the version that this script knows")
    start = (count * 56 + 2 * 4096) // 4096 * 4096
    flat = np.memmap(pack, np.uint8, "r", offset=start, shape=(count, stride))
    return flat[:, : height * width * channels].reshape(count, height, width, channels)
