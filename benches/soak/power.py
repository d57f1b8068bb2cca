"""Power loss: a run is ended at some call, and what it had written and not synced by then is lost, in part or wholly.

As ALICE (Pillai et al., 2014) does it, from the calls that were made: the content of a file holds from its last `fsync`; a new name, a
rename and a removal hold from the last `fsync` of their folder. What doesn't hold may be there, in any part, or not. What a rename replaced and what was
removed comes back from a copy of the project before the run; a file that was made and removed in the same run does not.
"""

import random
import re
import shutil
from pathlib import Path

# Calls that change files, and those that make changes hold.
WRITES = ["write", "writev", "pwrite64", "ftruncate", "copy_file_range", "sendfile"]
REMOVALS = ["unlink", "unlinkat", "rmdir"]
NAMES = ["rename", "renameat", "renameat2", "mkdir", "mkdirat", *REMOVALS, "open", "openat", "creat"]
SYNCS = ["fsync", "fdatasync", "sync_file_range", "msync"]
LINE = re.compile(r"^(\d+) +(?:<\.\.\. )?(\w+)(?: resumed>|\()(.*)$")


def loss(project, draws: random.Random, strace: list[str]) -> str:
    """Runs the project up to a call drawn at random, and loses what need not hold."""
    log = project.folder.with_name("calls")
    before = project.folder.with_name("before")
    shutil.copytree(project.folder, before, symlinks=True)
    traced = ",".join(WRITES + NAMES + SYNCS)
    at = draws.randint(5, 400)
    # Each thread counts for itself; the calls that change something are those that may be the last.
    inject = f"inject={','.join(['write', 'pwrite64', 'rename', 'fsync', 'mkdir', 'unlink'])}:signal=KILL:when={at}"
    command = [word if word != "/dev/null" else str(log) for word in strace]
    project.start(*command, "-y", "-s", "0", "-e", f"trace={traced}", "-e", inject).wait(300)
    try:
        lost = lose(project.folder, calls(log), before, draws)
    finally:
        log.unlink()
        shutil.rmtree(before)
    return f"at call {at}: {lost}"


def calls(log: Path) -> list[tuple[str, str]]:
    """The calls that succeeded, in order, with their arguments."""
    begun: dict[str, str] = {}
    found = []
    for line in log.read_text(errors="replace").splitlines():
        match = LINE.match(line)
        if not match:
            continue
        pid, call, rest = match.groups()
        if rest.endswith("<unfinished ...>"):
            begun[pid] = rest.removesuffix("<unfinished ...>")
            continue
        if "resumed>" in line:
            rest = begun.pop(pid, "") + rest
        if " = -1 " not in rest and " = ?" not in rest:
            found.append((call, rest))
    return found


def lose(folder: Path, made: list[tuple[str, str]], before: Path, draws: random.Random) -> str:
    """Brings the folder into a state that a loss of power may leave."""
    seen = Seen(folder, made)
    # Names first, as what has no name any more has no content.
    lost = undo_removals(seen, before, draws) + undo_renames(seen, before, draws)
    for path, number in seen.named.items():
        if folder not in path.parents or (before / path.relative_to(folder)).exists() or not path.exists():
            continue
        if seen.synced.get(path.parent, -1) < number and draws.random() < 0.3:
            shutil.rmtree(path) if path.is_dir() else path.unlink()
            lost += 1
    for path, number in seen.written.items():
        if folder not in path.parents or not path.is_file() or seen.synced.get(path, -1) > number:
            continue
        content = path.read_bytes()
        how = draws.choice(["whole", "none", "zeros", "begin"])
        if how != "whole" and content:
            begin = content[: draws.randrange(len(content))]
            path.write_bytes({"none": b"", "zeros": bytes(len(content)), "begin": begin}[how])
            lost += 1
    return f"{len(made)} calls, {lost} changes lost"


class Seen:
    """What the calls did: to each path, the number of the call."""

    def __init__(self, folder: Path, made: list[tuple[str, str]]):
        self.folder = folder
        self.written: dict[Path, int] = {}
        self.synced: dict[Path, int] = {}
        self.renamed: list[tuple[int, Path, Path]] = []
        self.named: dict[Path, int] = {}
        self.removed: list[tuple[int, Path]] = []
        # Where what lies at a path was before the run.
        self.moved: dict[Path, Path] = {}
        for number, (call, rest) in enumerate(made):
            self.take(number, call, rest)

    def take(self, number: int, call: str, rest: str) -> None:
        if call in WRITES and (path := opened(rest)):
            self.written[path] = number
        elif call in SYNCS and (path := opened(rest)):
            self.synced[path] = number
        elif call.startswith("rename"):
            source, target = names(self.folder, rest)[:2]
            self.renamed.append((number, source, target))
            self.moved[target] = self.origin(source)
            for table in (self.written, self.synced):
                for path in [p for p in table if p == source or source in p.parents]:
                    table[target / path.relative_to(source)] = table.pop(path)
        elif call in REMOVALS:
            self.removed.append((number, names(self.folder, rest)[0]))
        elif call in ("mkdir", "mkdirat") or (call in NAMES and "O_CREAT" in rest):
            if call.startswith("mkdir"):
                path = names(self.folder, rest)[0]
            else:
                path = opened(rest.rsplit(" = ", 1)[-1]) or names(self.folder, rest)[0]
            self.named.setdefault(path, number)

    def origin(self, path: Path) -> Path:
        for above in [path, *path.parents]:
            if above in self.moved:
                return self.moved[above] / path.relative_to(above)
        return path


def undo_renames(seen: Seen, before: Path, draws: random.Random) -> int:
    """Gives files their names from before, and what they replaced its own."""
    lost = 0
    first: dict[Path, int] = {}
    for number, _, target in seen.renamed:
        first.setdefault(target, number)
    for number, source, target in reversed(seen.renamed):
        if seen.folder not in target.parents or not target.exists() or source.exists():
            continue
        replaced = before / target.relative_to(seen.folder)
        # What was there before the run is there again if no rename onto it holds, and not only the last.
        since = first[target] if replaced.is_file() else number
        if seen.synced.get(target.parent, -1) < since and draws.random() < 0.5:
            source.parent.mkdir(parents=True, exist_ok=True)
            target.rename(source)
            if replaced.is_file():
                shutil.copy2(replaced, target)
            lost += 1
    return lost


def undo_removals(seen: Seen, before: Path, draws: random.Random) -> int:
    """Brings back what was there before the run: folders before what lay in them, as they were removed after it."""
    lost = 0
    for number, path in reversed(seen.removed):
        origin = seen.origin(path)
        if not {seen.folder} & set(path.parents) & set(origin.parents) or path.exists() or not path.parent.is_dir() or path in seen.written:
            continue
        was = before / origin.relative_to(seen.folder)
        if was.exists() and seen.synced.get(path.parent, -1) < number and draws.random() < 0.5:
            path.mkdir() if was.is_dir() else shutil.copy2(was, path)
            lost += 1
    return lost


def opened(rest: str) -> Path | None:
    """The path behind the first file descriptor: `3</a/b>`."""
    match = re.search(r"\d+<(/[^>]*)>", rest)
    return Path(match[1]) if match else None


def names(folder: Path, rest: str) -> list[Path]:
    """The paths among arguments; relative ones lie in the folder named before them, or are the run's own."""
    return [folder / at / name for at, name in re.findall(r'(?:(?:\d+|AT_FDCWD)<(/[^>]*)>, )?"([^"]*)"', rest)]
