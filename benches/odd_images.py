"""Every file of `odd_images` through `kfood`, one at a time: the manifest's expectation beside the result. See benches/README.md.

Needs `KFOOD_REAL_DATA` and nothing but Python.
"""

import argparse
import csv
import json
import os
import re
import shutil
import sys
from pathlib import Path

from peers import machine
from peers.program import Project, Ran

MOST_MEMORY = 300_000_000
TIMEOUT = 60


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kfood", type=Path, default=Path("target/release/kfood"))
    parser.add_argument("--work", type=Path, default=Path("target/bench"))
    parser.add_argument("--json", type=Path, help="write everything there as well")
    options = parser.parse_args()
    data = os.environ.get("KFOOD_REAL_DATA")
    if not data:
        print("odd images: passed over; set `KFOOD_REAL_DATA` to the folder that holds `odd_images`", file=sys.stderr)
        return
    odd = Path(data) / "odd_images"
    good = sorted((Path(data) / "korean20" / "train").glob("*/*.jpg"))[:2]
    with open(odd / "manifest.tsv", newline="", encoding="utf-8") as file:
        cases = list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
    kfood = options.kfood.resolve()
    baseline = one(kfood, options.work / "odd_images", good, None)
    found = []
    for case in cases:
        result = one(kfood, options.work / "odd_images", good, odd / case["file"])
        found.append(case | result | {"as expected": fits(case, result)})
    shutil.rmtree(options.work / "odd_images", ignore_errors=True)
    report = {"machine": machine.describe(kfood), "without an odd file": baseline, "files": found}
    show(report)
    if options.json:
        options.json.write_text(json.dumps(report, indent=1, ensure_ascii=False) + "\n")


def one(kfood: Path, folder: Path, good: list[Path], odd: Path | None) -> dict:
    """A data set of two good photographs and, in a class of its own choosing, the odd one."""
    shutil.rmtree(folder, ignore_errors=True)
    images = folder / "images"
    for name, path in zip(["first", "second"], good):
        (images / name).mkdir(parents=True)
        shutil.copy(path, images / name / "good.jpg")
    if odd:
        shutil.copy(odd, images / "first" / odd.name)
    project = Project(kfood, folder / "project", images, unreadable="drop")
    ran = project.run(timeout=TIMEOUT)
    return outcome(project, ran, odd) | {"seconds": ran.wall, "peak": ran.peak}


def outcome(project: Project, ran: Ran, odd: Path | None) -> dict:
    """`what`: accepted, dropped, skipped, refused (the whole run, in words), crashed or hung; and `why`."""
    if ran.timed_out:
        return {"what": "hung", "why": f"ended after {TIMEOUT} s"}
    if ran.code < 0 or ran.code not in (0, 1, 2) or "panicked" in ran.err:
        return {"what": "crashed", "why": f"status {ran.code}: {last(ran.err)}"}
    if ran.code != 0:
        return {"what": "refused", "why": last(ran.err).rsplit("`: ", 1)[-1]}
    if odd is None:
        return {"what": "accepted", "why": ""}
    names = project.listed()
    here = next((i for i, name in enumerate(names) if not name.endswith("good.jpg")), None)
    if here is None:
        said = next((line.strip() for line in ran.err.splitlines() if "passed over" in line or "skipped" in line), "")
        return {"what": "skipped", "why": said}
    columns = json.loads(project.output("photographs.json").read_text())
    having = lambda column: [what for what, places in columns.get(column, {}).items() if here in places]
    for why in having("dropped"):
        return {"what": "dropped", "why": why.rsplit("`: ", 1)[-1]}
    sides = f"{columns['widths'][here]}x{columns['heights'][here]}"
    seen = ", ".join([f"{having('formats')[0]} {sides}", *having("odd")])
    return {"what": "accepted", "why": seen}


def last(text: str) -> str:
    """The error and, where it lists files, the first of them; progress and help are left out."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    start = next((i for i, line in enumerate(lines) if line.startswith("error")), max(len(lines) - 2, 0))
    return " ".join(line for line in lines[start : start + 2] if not line.startswith(("=", "help")))


def fits(case: dict, result: dict) -> bool:
    """Whether a result is what the manifest expects. Where it expects a reason or an upright size, the words must name it."""
    expect, what, why = case["expect"], result["what"], result["why"].lower()
    accepted, turned_down = what == "accepted", what in ("dropped", "refused")
    words = {"size limit": ("limit", "megapixels", "too large"), "not an image": ("html", "not an image"), "LFS pointer": ("lfs",), "empty file": ("empty", "0 bytes")}
    match expect.split(": ", 1):
        case ["accept"]:
            return accepted
        case ["accept+rotate"]:
            upright = re.search(r"upright = (\d+x\d+)", case["what_is_odd"])
            return accepted and "turned" in why and (upright is None or upright[1] in why)
        case ["accept (by content)"]:
            return accepted
        case ["accept or error naming WebP"]:
            return accepted or (turned_down and "webp" in why)
        case ["accept or skipped with a count"]:
            return accepted or what == "skipped"
        case ["skip or error"]:
            return turned_down or what == "skipped"
        case ["either"]:
            return accepted or turned_down
        case ["error"]:
            return turned_down
        case ["error", reason]:
            return turned_down and any(word in why for word in words[reason])
    raise SystemExit(f"the manifest expects `{expect}`, which this script does not know")


def show(report: dict) -> None:
    files, base = report["files"], report["without an odd file"]
    print(f"## {len(files)} odd and broken files, one at a time\n")
    for key in ("processor", "kfood", "decoders"):
        print(f"- {key}: {report['machine'][key]}")
    largest, longest = max(files, key=lambda f: f["peak"]), max(files, key=lambda f: f["seconds"])
    other = [f["file"] for f in files if not f["as expected"]]
    heavy = [f["file"] for f in files if f["peak"] > MOST_MEMORY]
    print(f"- as expected: {len(files) - len(other)} of {len(files)}" + "".join(f"; not `{name}`" for name in other))
    print(f"- largest peak memory of the program: {mb(largest)} (`{largest['file']}`); with two good photographs alone {mb(base)}")
    print(f"- above {MOST_MEMORY / 1e6:.0f} MB: {', '.join(heavy) or 'none'}")
    print(f"- longest run: {longest['seconds']:.2f} s (`{longest['file']}`); with two good photographs alone {base['seconds']:.2f} s")
    print("\n| file | what is odd | expected | kfood | | MB | s |\n|---|---|---|---|---|---|---|")
    for f in files:
        answer = f"{f['what']}: {f['why']}" if f["why"] else f["what"]
        cells = [f["file"], f["what_is_odd"], f["expect"], answer, "as expected" if f["as expected"] else "**differs**"]
        print("| " + " | ".join(cell.replace("|", "/") for cell in cells) + f" | {f['peak'] / 1e6:.0f} | {f['seconds']:.2f} |")


def mb(found: dict) -> str:
    return f"{found['peak'] / 1e6:.0f} MB"


if __name__ == "__main__":
    main()
