"""Kinds of faults. Each leaves a project as the fault does, and says in a few words what it was."""

import os
import random
import shutil
import signal
import subprocess
import time
from pathlib import Path

import power
from peers.program import children
from project import PATIENCE, Project, run

# Calls to the file system that may fail, and with what.
CALLS = {
    "write,writev,pwrite64": ["EIO", "ENOSPC", "EDQUOT"],
    "fsync,fdatasync": ["EIO", "ENOSPC"],
    "rename,renameat,renameat2": ["EIO", "ENOSPC", "EACCES"],
    "mkdir,mkdirat": ["EIO", "ENOSPC"],
    "ftruncate": ["EIO", "EFBIG"],
    "unlink,unlinkat": ["EIO", "EBUSY"],
    "copy_file_range,sendfile": ["EIO", "ENOSPC"],
    "read,pread64": ["EIO"],
}


class NotHere(Exception):
    """This machine can't have the fault."""


def strace() -> list[str]:
    if not shutil.which("strace"):
        raise NotHere("there is no strace")
    return ["strace", "-f", "-qqq", "-o", "/dev/null"]


def perhaps_finished(project: Project, draws: random.Random) -> None:
    if draws.random() < 0.3:
        project.finished()
        for entry in draws.sample(sorted(project.cache.glob("entries/*")), 2):
            shutil.rmtree(entry)


def kill(project: Project, draws: random.Random) -> str:
    """The runner, its worker or both, at any moment."""
    perhaps_finished(project, draws)
    child = project.start()
    moment = draws.uniform(0, 0.4 if project.reference.pipeline == "light" else project.reference.took)
    try:
        child.wait(moment)
        return "it had ended"
    except subprocess.TimeoutExpired:
        pass
    below = children(child.pid)
    whom = draws.choice(["runner", "worker", "both"])
    for pid in {"runner": [child.pid], "worker": below, "both": [child.pid, *below]}[whom]:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
    child.wait(PATIENCE)
    return f"{whom} after {moment:.3f} s"


def kill_at_a_call(project: Project, draws: random.Random) -> str:
    """Killed at the Nth call of a kind."""
    perhaps_finished(project, draws)
    calls = draws.choice(list(CALLS))
    when = draws.randint(1, 120)
    inject = f"inject={calls}:signal=KILL:when={when}"
    project.start(*strace(), "-e", f"trace={calls}", "-e", inject).wait(PATIENCE)
    return inject


def failing_call(project: Project, draws: random.Random) -> str:
    """The Nth call of a kind fails, or all from then on, as on a disk that is full or dying."""
    perhaps_finished(project, draws)
    calls = draws.choice(list(CALLS))
    error = draws.choice(CALLS[calls])
    when = f"{draws.randint(1, 120)}{draws.choice(['', '+'])}"
    if calls.startswith("read"):
        # The first ones load the program itself.
        when = f"{draws.randint(30, 200)}"
    inject = f"inject={calls}:error={error}:when={when}"
    project.start(*strace(), "-e", f"trace={calls}", "-e", inject).wait(PATIENCE)
    return inject


def file_too_large(project: Project, draws: random.Random) -> str:
    """A limit on the size of files: the last write before it is a short one."""
    perhaps_finished(project, draws)
    blocks = draws.randint(1, 60)
    project.start("sh", "-c", f'ulimit -f {blocks}; exec "$0" "$@"').wait(PATIENCE)
    return f"ulimit -f {blocks}"


def full_disk(project: Project, draws: random.Random) -> str:
    """A file system of its own for the cache, too small; then there is room again."""
    project.cache.mkdir()
    kilobytes = draws.randint(16, 600)
    with mounted(project, f"size={kilobytes}k"):
        project.start().wait(PATIENCE)
        left = project.folder / "left"
        shutil.copytree(project.cache, left, symlinks=True)
    shutil.rmtree(project.cache)
    left.rename(project.cache)
    return f"{kilobytes} kB"


def read_only(project: Project, draws: random.Random) -> str:
    """The cache can only be read from some moment on."""
    project.cache.mkdir()
    moment = draws.uniform(0, 0.3)
    with mounted(project, "size=2g"):
        child = project.start()
        time.sleep(moment)
        # While files are open for writing the system refuses; then it is so a little later.
        for _ in range(200):
            if subprocess.run(["mount", "-o", "remount,ro", project.cache], capture_output=True).returncode == 0:
                break
            time.sleep(0.01)
        child.wait(PATIENCE)
        left = project.folder / "left"
        shutil.copytree(project.cache, left, symlinks=True)
    shutil.rmtree(project.cache)
    left.rename(project.cache)
    return f"after {moment:.3f} s"


class mounted:
    """A file system in memory at a project's cache."""

    def __init__(self, project: Project, options: str):
        self.at, self.options = project.cache, options

    def __enter__(self) -> None:
        made = subprocess.run(["mount", "-t", "tmpfs", "-o", self.options, "kfood-soak", self.at], capture_output=True)
        if made.returncode:
            self.at.rmdir()
            raise NotHere("a file system cannot be mounted")

    def __exit__(self, *_: object) -> None:
        subprocess.run(["umount", "-l", self.at], check=True)


def damage(project: Project, draws: random.Random) -> str:
    """A bit, the end, all bytes or the whole of any file of a finished cache; often with its times and size as they were."""
    project.finished()
    files = sorted(path for path in project.cache.rglob("*") if path.is_file() and path.stat().st_size)
    path = draws.choice(files)
    before = path.stat()
    content = bytearray(path.read_bytes())
    how = draws.choice(["flip", "cut", "zeros", "removed"])
    if how == "removed":
        path.unlink()
        return f"{how}: {path.relative_to(project.cache)}"
    if how == "flip":
        at = draws.randrange(len(content))
        content[at] ^= 1 << draws.randrange(8)
    elif how == "cut":
        del content[draws.randrange(len(content)) :]
    else:
        content = bytearray(len(content))
    path.write_bytes(content)
    if draws.random() < 0.5:
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    return f"{how}: {path.relative_to(project.cache)}"


def edited_while_read(project: Project, draws: random.Random) -> str:
    """A photograph becomes another one during a run and what it was again: A, B, A."""
    perhaps_finished(project, draws)
    photographs = sorted(project.folder.joinpath("data").rglob("*.*"))
    path, other = draws.sample(photographs, 2)
    project.edited = True
    before, content = path.stat(), path.read_bytes()
    child = project.start()
    time.sleep(draws.uniform(0, 0.25))
    path.write_bytes(other.read_bytes())
    time.sleep(draws.uniform(0, 0.25))
    path.write_bytes(content)
    if draws.random() < 0.5:
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    child.wait(PATIENCE)
    return path.name


def clock(project: Project, draws: random.Random) -> str:
    """The times of all files lie years ahead or back, as after a clock was wrong."""
    project.finished()
    for entry in draws.sample(sorted(project.cache.glob("entries/*")), 1):
        shutil.rmtree(entry)
    years = draws.choice([-30, -1, 1, 10])
    for path in [*project.cache.rglob("*"), *project.folder.joinpath("data").rglob("*")]:
        if draws.random() < 0.7:
            moved = path.stat().st_mtime + years * 365 * 86400
            os.utime(path, (moved, moved))
    return f"{years} years"


def wrong_clock(project: Project, draws: random.Random) -> str:
    """A run and its workers whose clock is years ahead or back, or hours; then the clock is right again."""
    perhaps_finished(project, draws)
    library = project.folder.with_name("clock.so")
    if not library.exists():
        source = Path(__file__).with_name("clock.c")
        if not shutil.which("cc") or subprocess.run(["cc", "-shared", "-fPIC", "-o", library, source, "-ldl"], capture_output=True).returncode:
            raise NotHere("there is no compiler of C")
    hours = draws.choice([-30 * 365 * 24, -365 * 24, -2, 1, 365 * 24, 10 * 365 * 24])
    project.start("env", f"LD_PRELOAD={library}", f"SOAK_SECONDS={hours * 3600}").wait(PATIENCE)
    return f"{hours} hours"


def several_at_once(project: Project, draws: random.Random) -> str:
    """Two to sixteen runs of one project, three times of four beside `gc`, some of them killed."""
    runs = draws.randint(2, 16) if project.reference.pipeline == "light" else 2
    gc = draws.random() < 0.75
    children = [project.start() for _ in range(runs)]
    killed = 0
    for child in children:
        if gc:
            run([project.program, "cache", "gc"], project.folder)
        if draws.random() < 0.2:
            child.kill()
            killed += 1
    for child in children:
        child.wait(PATIENCE)
    return f"{runs} runs, {'gc' if gc else 'no gc'}, {killed} killed"


def power_loss(project: Project, draws: random.Random) -> str:
    """What was written and not synced is lost, in part or wholly."""
    perhaps_finished(project, draws)
    return power.loss(project, draws, strace())


FAULTS = {
    "killed at any moment": kill,
    "killed at a call": kill_at_a_call,
    "a call that fails": failing_call,
    "a file too large": file_too_large,
    "full disk": full_disk,
    "disk becomes read-only": read_only,
    "damaged file": damage,
    "edited while read": edited_while_read,
    "times of files moved": clock,
    "clock wrong": wrong_clock,
    "several at once": several_at_once,
    "power loss": power_loss,
}
