"""The program `kfood`: where it is, and a call of it."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import sysconfig
import threading
from pathlib import Path
from typing import IO, Iterator, Sequence


class Error(RuntimeError):
    """What went wrong, in kfood's words, its way out among them."""

    def __init__(self, message: str, exit_code: int | None = None, answer: str = "") -> None:
        super().__init__(message)
        self.exit_code = exit_code
        """That of the program: 1 the run failed, 2 your file or arguments, 130 interrupted. `None` where it could not be started."""
        self.answer = answer
        """What the program printed all the same."""


def program() -> str:
    """The program `kfood` that was installed with this package; else the one on the path.

    Raises `Error` when there is none.
    """
    for folder in _folders():
        found = folder / "kfood"
        if found.is_file() and os.access(found, os.X_OK):
            return str(found)
    on_path = shutil.which("kfood")
    if on_path is None:
        looked = ", ".join(f"`{folder}`" for folder in _folders())
        raise Error(f"there is no program `kfood` in {looked} or on the path\nhelp: install this package again, with pip")
    return on_path


def _folders() -> Iterator[Path]:
    """Where pip puts programs: of this Python, of this person, and beside `pip install --target`."""
    yield Path(sysconfig.get_path("scripts"))
    yield Path(sysconfig.get_path("scripts", sysconfig.get_preferred_scheme("user")))
    yield Path(__file__).resolve().parent.parent / "bin"


def call(arguments: Sequence[str | os.PathLike[str]], *, quiet: bool = False) -> str:
    """What `kfood` prints with these arguments. What it says meanwhile goes to `sys.stderr`, unless `quiet`.

    Ctrl-C, and a notebook's interrupt, reach the program as well: it ends in good order, which is waited for, and `KeyboardInterrupt` goes
    on. A second one ends it at once. Raises `Error` when it fails.
    """
    command = [program(), *(os.fspath(argument) for argument in arguments)]
    try:
        child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8", errors="replace")
    except OSError as error:
        raise Error(f"cannot start `{command[0]}`: {error.strerror}\nhelp: install this package again, with pip") from error
    said: list[str] = []
    with child:
        assert child.stdout is not None and child.stderr is not None
        answer: list[str] = []
        reader = threading.Thread(target=_read, args=(child.stdout, answer), daemon=True)
        reader.start()
        try:
            _listen(child.stderr, said, quiet)
            child.wait()
        except KeyboardInterrupt:
            _end(child, said, quiet)
            raise
        reader.join()
    if child.returncode != 0:
        raise Error(_words(said, child.returncode), child.returncode, "".join(answer))
    return "".join(answer)


def _read(stream: IO[str], into: list[str]) -> None:
    into.append(stream.read())


def _listen(stream: IO[str], said: list[str], quiet: bool) -> None:
    """Line by line, so that a notebook shows them as they come."""
    for line in stream:
        said.append(line)
        if not quiet:
            print(line, end="", file=sys.stderr, flush=True)


def _end(child: subprocess.Popen[str], said: list[str], quiet: bool) -> None:
    """Waits for a program that was interrupted with this one. Where it missed that, for it went to this process alone, another one is sent on."""
    assert child.stderr is not None
    while child.poll() is None:
        try:
            _listen(child.stderr, said, quiet)
            child.wait()
        except KeyboardInterrupt:
            child.send_signal(signal.SIGINT)


def _words(said: Sequence[str], exit_code: int) -> str:
    """From the first error on: what was said of the course of things before it is left out."""
    lines = [line.rstrip("\n") for line in said]
    first = next((i for i, line in enumerate(lines) if line.startswith("error")), 0)
    text = "\n".join(lines[first:]).strip()
    if exit_code < 0:
        text = f"{text}\nthe program was ended by signal {-exit_code}".strip()
    return text or f"`kfood` ended with exit code {exit_code}"
