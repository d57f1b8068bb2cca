"""Power loss: a run is ended at some call, and what it had written and not synced by then is lost, in part or wholly.

As ALICE (Pillai et al., 2014) does it, from the calls that were made: the content of a file holds from its last `fsync`; a new name, a
rename and a removal hold from the last `fsync` of their folder. What doesn't hold may be there, in any part, or not.
"""

import random
import re
import shutil
from pathlib import Path

# Calls that change files, and those that make changes hold.
WRITES = ["write", "writev", "pwrite64", "ftruncate", "copy_file_range", "sendfile"]
NAMES = ["rename", "renameat", "renameat2", "mkdir", "mkdirat", "unlink", "unlinkat", "open", "openat", "creat"]
SYNCS = ["fsync", "fdatasync", "sync_file_range", "msync"]
LINE = re.compile(r"^(\d+) +(?:<\.\.\. )?(\w+)(?: resumed>|\()(.*)$")


def loss(project, draws: random.Random, strace: list[str]) -> str:
    """Runs the project up to a call drawn at random, and loses what need not hold."""
    log = project.folder.with_name("calls")
    before = {path for path in project.folder.rglob("*")}
    traced = ",".join(WRITES + NAMES + SYNCS)
    at = draws.randint(5, 400)
    # Each thread counts for itself; the calls that change something are those that may be the last.
    inject = f"inject={','.join(['write', 'pwrite64', 'rename', 'fsync', 'mkdir', 'unlink'])}:signal=KILL:when={at}"
    command = [word if word != "/dev/null" else str(log) for word in strace]
    project.start(*command, "-y", "-s", "0", "-e", f"trace={traced}", "-e", inject).wait(300)
    lost = lose(project.folder, calls(log), before, draws)
    log.unlink()
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


def lose(folder: Path, made: list[tuple[str, str]], before: set[Path], draws: random.Random) -> str:
    """Brings the folder into a state that a loss of power may leave."""
    written: dict[Path, int] = {}
    synced: dict[Path, int] = {}
    renamed: list[tuple[int, Path, Path]] = []
    named: dict[Path, int] = {}
    for number, (call, rest) in enumerate(made):
        if call in WRITES and (path := opened(rest)):
            written[path] = number
        elif call in SYNCS and (path := opened(rest)):
            synced[path] = number
        elif call.startswith("rename"):
            source, target = names(folder, rest)[:2]
            renamed.append((number, source, target))
            for table in (written, synced):
                for path in [p for p in table if p == source or source in p.parents]:
                    table[target / path.relative_to(source)] = table.pop(path)
        elif call in ("mkdir", "mkdirat") or (call in NAMES and "O_CREAT" in rest):
            if call.startswith("mkdir"):
                path = names(folder, rest)[0]
            else:
                path = opened(rest.rsplit(" = ", 1)[-1]) or names(folder, rest)[0]
            named.setdefault(path, number)
    lost = 0
    # Names first: what has no name any more has no content.
    for number, source, target in reversed(renamed):
        inside = folder in target.parents
        if not inside or target in before or not target.exists() or source.exists():
            continue
        if synced.get(target.parent, -1) < number and draws.random() < 0.5:
            source.parent.mkdir(parents=True, exist_ok=True)
            target.rename(source)
            lost += 1
    for path, number in named.items():
        if folder not in path.parents or path in before or not path.exists():
            continue
        if synced.get(path.parent, -1) < number and draws.random() < 0.3:
            shutil.rmtree(path) if path.is_dir() else path.unlink()
            lost += 1
    for path, number in written.items():
        if folder not in path.parents or not path.is_file() or synced.get(path, -1) > number:
            continue
        content = path.read_bytes()
        how = draws.choice(["whole", "none", "zeros", "begin"])
        if how != "whole" and content:
            begin = content[: draws.randrange(len(content))]
            path.write_bytes({"none": b"", "zeros": bytes(len(content)), "begin": begin}[how])
            lost += 1
    return f"{len(made)} calls, {lost} changes lost"


def opened(rest: str) -> Path | None:
    """The path behind the first file descriptor: `3</a/b>`."""
    match = re.search(r"\d+<(/[^>]*)>", rest)
    return Path(match[1]) if match else None


def names(folder: Path, rest: str) -> list[Path]:
    """The paths among arguments; relative ones are the run's own."""
    return [folder / name for name in re.findall(r'"([^"]*)"', rest)]
