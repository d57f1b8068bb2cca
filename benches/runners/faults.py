"""What happens to each runner's result when something goes wrong: each gives a word, `right` or what is wrong, and what was seen."""

import os
import shutil
import signal
import unicodedata
from pathlib import Path

from tools import PATIENCE, Kfood, Tool

RIGHT = "right"
# Seconds of a peer's stage: longer than its runner takes to start.
A_WHILE = 3.0


def told(ran) -> str:
    """What a command said was wrong, else the last thing that it said."""
    lines = [line.strip() for line in ran.told.splitlines() if line.strip()]
    wrong = [line for line in lines if "xception" in line or "rror" in line]
    return f"`{(wrong or lines or ['nothing said'])[0 if wrong else -1][:60]}`"


def after_a_plain_run(tool: Tool, right: str) -> str:
    """Runs it once more: what then is there, against what a runner gives that was never disturbed."""
    again = tool.run()
    if again.code != 0:
        return f"needs a hand: {told(again)}"
    found = tool.result()
    if found == right:
        return RIGHT
    return f"{'no' if found is None else 'a wrong'} result, and exit code 0"


def killed(tool: Tool, right: str) -> str:
    """The runner is killed while its stage is at work; then a plain run."""
    tool.kill()
    return after_a_plain_run(tool, right)


def edited_while_read(tool: Tool, right: str) -> str:
    """An input changes while the stage is at work; is the result of that run taken for that of the new content?"""
    child = tool.start()
    tool.at_work(child)
    # The last one: a stage that goes through its inputs in order has it still before it, or has read it all.
    place = tool.input(-1)
    os.remove(place)
    shutil.copy2(tool.input(0), place)
    os.utime(place)
    code = child.wait(PATIENCE)
    if code == 0 and not tool.pending():
        fresh = tool.folder.parent / "fresh"
        expected = again_from_nothing(tool, fresh)
        if tool.result() != expected:
            return "up to date, with the result of the old content"
    return RIGHT


def again_from_nothing(tool: Tool, folder: Path) -> str | None:
    """What the tool gives for the inputs as they are, in a new place."""
    other = type(tool)(tool.program, folder)
    (folder / "data").unlink(missing_ok=True)
    shutil.copytree(tool.folder / "data", folder / "data", dirs_exist_ok=True)
    other.one(A_WHILE)
    other.run()
    return other.result()


def same_size_and_time(tool: Tool, right: str) -> str:
    """Another content of the same size, its time set back: copied by rsync --times, restored from an archive."""
    tool.run()
    place = tool.input(-1)
    seen = place.stat()
    bytes = bytearray(place.read_bytes())
    bytes[-20] ^= 1
    place.write_bytes(bytes)
    os.utime(place, ns=(seen.st_atime_ns, seen.st_mtime_ns))
    return RIGHT if tool.pending() else "not seen"


def stored_flipped(tool: Tool, right: str) -> str:
    """A bit of the stored result flips, size and time as before; the result is needed again."""
    tool.run()
    place = tool.stored()
    if place is None:
        return "stores none"
    seen = place.stat()
    mode = seen.st_mode
    place.chmod(0o644)
    bytes = bytearray(place.read_bytes())
    bytes[-5] ^= 4
    place.write_bytes(bytes)
    os.utime(place, ns=(seen.st_atime_ns, seen.st_mtime_ns))
    place.chmod(mode)
    tool.lose_result()
    tool.run()
    if isinstance(tool, Kfood):
        again = bytearray(tool.stored().read_bytes())
        return RIGHT if again != bytes else "the flipped bit is used"
    return RIGHT if tool.result() == right else "the flipped bit is used"


def renamed_by_a_mac(tool: Tool, right: str) -> str:
    """A Hangul name comes back in its other spelling: nothing has changed."""
    place = tool.input(0)
    hangul = place.with_name(unicodedata.normalize("NFC", "김밥") + place.suffix)
    place.rename(hangul)
    tool.run()
    hangul.rename(hangul.with_name(unicodedata.normalize("NFD", hangul.name)))
    return RIGHT if not tool.pending() else "everything runs again"


def two_at_once(tool: Tool, right: str) -> str:
    """Two runs of one pipeline; then a plain one."""
    both = [tool.start(), tool.start()]
    codes = [child.wait(PATIENCE) for child in both]
    seen = after_a_plain_run(tool, right)
    failed = sum(code != 0 for code in codes)
    return f"{failed} of 2 refused, then right" if failed and seen == RIGHT else seen


def cut_off_in_the_middle(tool: Tool, right: str) -> str:
    """Everything is killed at once, as by a power switch; then a plain run."""
    child = tool.start()
    tool.at_work(child)
    os.killpg(child.pid, signal.SIGKILL)
    child.wait(PATIENCE)
    return after_a_plain_run(tool, right)


def pending_says_so(tool: Tool, right: str) -> str:
    """A plan tells a script by its exit code that there is work."""
    fresh = tool.plan().code
    tool.run()
    return RIGHT if tool.plan().code != fresh else f"exit code {fresh} either way"


FAULTS = {
    "runner killed at work, then a run": killed,
    "all killed at work, then a run": cut_off_in_the_middle,
    "input edited while it is read": edited_while_read,
    "input edited, size and time as before": same_size_and_time,
    "bit of a stored result flipped, size and time as before": stored_flipped,
    "Hangul name in its other spelling": renamed_by_a_mac,
    "two runs at once": two_at_once,
    "work to do shows in the exit code of the plan": pending_says_so,
}
