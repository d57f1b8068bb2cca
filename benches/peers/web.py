"""Photographs as they lie on the web: three sets of files from `web7`, and the whole command of a peer on them.

Most photographs on the web are progressive, which what the benchmark makes itself is not. `jpegtran` makes the same photographs all progressive or all
plain, without loss. Each is taken several times under other names, so that starting costs little; a copy has a comment of its own, since kfood takes
the rows of files that are equal byte for byte from one another.
"""

import json
import multiprocessing
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

COPIES = 5
FOLDER = "web7"
JPEGTRAN = {"all made progressive": ["-copy", "all", "-progressive"], "as it lies": None, "all made plain": ["-copy", "all"]}
PEERS = ("pillow", "draft", "simplejpeg")
CHUNK = 4  # images that a process of a peer takes at a time


def missing() -> str | None:
    """Why there is nothing to measure."""
    data = os.environ.get("KFOOD_REAL_DATA")
    if not data:
        return "`KFOOD_REAL_DATA`, the folder that holds `web7`, is not set"
    if not (Path(data) / FOLDER).is_dir():
        return f"there is no `{FOLDER}` in `KFOOD_REAL_DATA`"
    return None if shutil.which("jpegtran") else "`jpegtran` is missing (Debian: libjpeg-turbo-progs)"


def make(folder: Path, kind: str, copies: int = COPIES) -> Path:
    """One set of files, made anew each time; what `jpegtran` cannot read is left out of the sets that it makes."""
    to = folder / kind.replace(" ", "-")
    shutil.rmtree(to, ignore_errors=True)
    source = Path(os.environ["KFOOD_REAL_DATA"]) / FOLDER
    for path in sorted(path for path in source.rglob("*") if path.is_file()):
        data = path.read_bytes()
        if JPEGTRAN[kind]:
            if not data.startswith(b"\xff\xd8"):
                continue
            made = subprocess.run(["jpegtran", *JPEGTRAN[kind], path], capture_output=True)
            if made.returncode or not made.stdout:
                continue
            data = made.stdout
        for copy in range(copies):
            name = to / path.relative_to(source).with_stem(f"{path.stem}-{copy}")
            name.parent.mkdir(parents=True, exist_ok=True)
            name.write_bytes(named(data, copy))
    return to


def named(data: bytes, copy: int) -> bytes:
    """The same picture with a comment of its own."""
    text = b"%08d" % copy
    if data.startswith(b"\xff\xd8"):
        return data[:2] + b"\xff\xfe\x00\x0a" + text + data[2:]
    if data.startswith(b"RIFF"):  # WebP: a chunk that nobody knows, behind the others
        body = data[8:] + b"note" + len(text).to_bytes(4, "little") + text
        return b"RIFF" + len(body).to_bytes(4, "little") + body
    return data + text


def seconds(method: str, paths: list[str], rows: Path, cpus: list[int]) -> float:
    """Wall time of a peer's whole command, from before its process starts to after it has ended."""
    lists = rows.with_suffix(".json")
    lists.write_text(json.dumps(paths))
    command = [sys.executable, "-m", "peers.web", method, str(lists), str(rows), str(len(cpus))]
    start = time.perf_counter()
    subprocess.run(command, check=True, cwd=Path(__file__).parent.parent, preexec_fn=lambda: os.sched_setaffinity(0, cpus))
    return time.perf_counter() - start


def begin(method: str, rows: str, count: int) -> None:
    import numpy as np

    from .methods import METHODS, SIDE

    global row, out
    row = METHODS[method]()
    out = np.memmap(rows, dtype=np.uint8, mode="r+", shape=(count, SIDE, SIDE, 3))


def one(job: tuple[int, str]) -> None:
    out[job[0]] = row(job[1])


def main(method: str, lists: str, rows: str, processes: str) -> None:
    from .methods import SIDE

    paths = json.loads(Path(lists).read_text())
    with open(rows, "wb") as file:
        file.truncate(len(paths) * SIDE * SIDE * 3)
    with multiprocessing.Pool(int(processes), begin, (method, rows, len(paths))) as pool:
        for _ in pool.imap_unordered(one, enumerate(paths), CHUNK):
            pass


if __name__ == "__main__":
    main(*sys.argv[1:])
