"""kfood beside DVC and Snakemake: what a runner costs, and what becomes of a result when something goes wrong. See benches/README.md."""

import argparse
import json
import os
import shutil
import statistics
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import numpy as np  # noqa: E402
from PIL import Image  # noqa: E402

from peers import machine  # noqa: E402

from faults import A_WHILE, FAULTS  # noqa: E402
from tools import Dvc, Kfood, Snakemake, Tool  # noqa: E402

CLASSES = 42


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kfood", type=Path, default=Path("target/release/kfood"))
    parser.add_argument("--peers", type=Path, default=Path(".venv/bin"), help="where `dvc` and `snakemake` are")
    parser.add_argument("--work", type=Path, default=Path("target/bench/runners"), help="takes about 5 GB there while it runs")
    parser.add_argument("--files", type=int, default=33_593, help="of 30 KB each")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", choices=["speed", "faults"])
    parser.add_argument("--json", type=Path, help="write everything there as well")
    options = parser.parse_args()
    work = options.work.resolve()
    shutil.rmtree(work, ignore_errors=True)
    tools = [
        (Kfood, str(options.kfood.resolve())),
        (Dvc, str((options.peers / "dvc").absolute())),
        (Snakemake, str((options.peers / "snakemake").absolute())),
    ]
    versions = {kind.name: kind(program, work / "version").version().told.strip().splitlines()[-1] for kind, program in tools}
    report = {"machine": machine.describe(options.kfood), "versions": versions}
    if options.only != "faults":
        report["speed"] = speed(tools, work, options)
    if options.only != "speed":
        report["faults"] = faults(tools, work)
    shutil.rmtree(work, ignore_errors=True)
    show(report, options)
    if options.json:
        options.json.write_text(json.dumps(report, indent=1, ensure_ascii=False) + "\n")


def speed(tools, work: Path, options) -> dict:
    """Seconds of each command, all tools in each round."""
    found: dict[str, dict[str, list[float]]] = {}

    def timed(case: str, tool: Tool, ran) -> None:
        print(f"{tool.name}: {case}: {ran.seconds:.3f} s", file=sys.stderr)
        if ran.code not in (0, 3):
            raise SystemExit(f"{tool.name} ended with {ran.code} at `{case}`:\n{ran.told[-3000:]}")
        found.setdefault(case, {}).setdefault(tool.name, []).append(ran.seconds)

    data = work / "photographs"
    folder_of_files(data, options.files)
    for pipeline, stages in ("chain", "5 stages"), ("wide", "200 stages"), ("one", f"{options.files:,} files"):
        made = []
        for kind, program in tools:
            tool = kind(program, work / kind.name)
            if pipeline == "one":
                tool.photographs(data)
                tool.one(0.0)
            else:
                getattr(tool, pipeline)()
            made.append(tool)
            timed(f"{stages}: first run", tool, tool.run())
        for _ in range(options.rounds):
            for tool in made:
                timed(f"{stages}: nothing to do", tool, tool.run())
            for tool in made:
                timed(f"{stages}: plan", tool, tool.plan())
        if pipeline == "one":
            edited_again(made, data, options, timed, stages)
        if pipeline == "wide":
            for number in range(max(1, options.rounds // 2)):
                for tool in made:
                    tool.branch(number + 1)
                    timed(f"{stages}: one branch edited", tool, tool.run())
        for tool in made:
            shutil.rmtree(tool.folder)
    for _ in range(options.rounds):
        for kind, program in tools:
            timed("`--version`", kind, kind(program, work / "version").version())
    return found


def edited_again(made, data: Path, options, timed, stages: str) -> None:
    for number in range(max(1, options.rounds // 2)):
        place = sorted(data.rglob("*.jpg"))[number]
        for tool in made:
            # Each tool meets an edit that it has not seen.
            with open(place, "ab") as to:
                to.write(os.urandom(8))
            timed(f"{stages}: one edited", tool, tool.run())
        # Other times and the same bytes: nothing has to run, but the file has to be read.
        for tool in made:
            os.utime(place, ns=(time.time_ns(), time.time_ns()))
            timed(f"{stages}: one touched", tool, tool.run())


def folder_of_files(folder: Path, count: int) -> None:
    """Small JPEGs, each made 30 KB by what stands behind its end."""
    draws = np.random.default_rng(1)
    Image.fromarray(draws.integers(0, 255, (16, 16, 3), "uint8")).save("/dev/shm/runners.jpg")
    head = Path("/dev/shm/runners.jpg").read_bytes()
    Path("/dev/shm/runners.jpg").unlink()
    for number in range(count):
        place = folder / f"class{number % CLASSES:02}" / f"{number:06}.jpg"
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(head + draws.bytes(30_000 - len(head)))


def photographs(folder: Path, count: int = 200) -> None:
    """Noise that takes a while to decode."""
    draws = np.random.default_rng(2)
    for number in range(count):
        place = folder / f"class{number % 3}" / f"{number:03}.jpg"
        place.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(draws.integers(0, 255, (1200, 1600, 3), "uint8")).save(place, quality=90)


def faults(tools, work: Path) -> dict:
    data = work / "noise"
    photographs(data)
    found: dict[str, dict[str, str]] = {}
    for kind, program in tools:
        undisturbed = prepared(kind, program, work / kind.name, data)
        undisturbed.run()
        right = undisturbed.result()
        for name, fault in FAULTS.items():
            tool = prepared(kind, program, work / kind.name, data)
            seen = fault(tool, right)
            print(f"{kind.name}: {name}: {seen}", file=sys.stderr)
            found.setdefault(name, {})[kind.name] = seen
    return found


def prepared(kind, program: str, folder: Path, data: Path) -> Tool:
    tool = kind(program, folder)
    shutil.copytree(data, folder / "data")
    tool.one(A_WHILE)
    return tool


def show(report: dict, options) -> None:
    names = list(report["versions"])
    print("## Runners side by side\n")
    for key, value in report["machine"].items():
        print(f"- {key}: {value}")
    print(f"- versions: {', '.join(f'{name} {version}' for name, version in report['versions'].items())}")
    if "speed" in report:
        print("\n| seconds | " + " | ".join(names) + " |\n|---" * 1 + "|---" * (len(names)) + "|")
        for case, of in report["speed"].items():
            print(f"| {case} | " + " | ".join(cell(of.get(name, [])) for name in names) + " |")
    if "faults" in report:
        print("\n| what goes wrong | " + " | ".join(names) + " |\n|---" + "|---" * len(names) + "|")
        for case, of in report["faults"].items():
            print(f"| {case} | " + " | ".join(of[name] for name in names) + " |")


def cell(seconds: list[float]) -> str:
    """`0.021 [0.020, 0.024] (5)`"""
    if not seconds:
        return "-"
    spread = f" [{min(seconds):.3f}, {max(seconds):.3f}]" if len(seconds) > 1 else ""
    return f"{statistics.median(seconds):.3f}{spread} ({len(seconds)})"


if __name__ == "__main__":
    main()
