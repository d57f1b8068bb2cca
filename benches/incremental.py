"""One image added to 20,000, then one removed: decodes counted, and wall time against a full run. See benches/README.md."""

import argparse
import json
import os
import shutil
import sys
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
from PIL import Image

from peers import machine, photographs
from peers.program import Project

WIDTH, HEIGHT, QUALITY = 320, 240, 85
CLASSES = 40
_sources: list[Image.Image] = []


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kfood", type=Path, default=Path("target/release/kfood"))
    parser.add_argument("--work", type=Path, default=Path("target/bench"), help="takes about 10 GB there while it runs")
    parser.add_argument("--count", type=int, default=20_000)
    parser.add_argument("--json", type=Path, help="write everything there as well")
    options = parser.parse_args()
    images = options.work / f"incremental-{options.count}"
    make(images, options.count)
    folder = options.work / "incremental"
    shutil.rmtree(folder, ignore_errors=True)
    project = Project(options.kfood.resolve(), folder, images)
    report = {"machine": machine.describe(options.kfood), "images": options.count, "runs": {}}
    added = place(images, options.count)
    removed = place(images, options.count // 3)
    kept = removed.read_bytes()
    added.unlink(missing_ok=True)
    steps = {
        "a full run": lambda: None,
        "after one image was added": lambda: added.write_bytes(picture(options.count)),
        "after one image was removed": removed.unlink,
        "again, nothing changed": lambda: None,
    }
    try:
        for name, change in steps.items():
            print(name, file=sys.stderr)
            change()
            report["runs"][name] = run(project)
    finally:
        removed.write_bytes(kept)
        added.unlink(missing_ok=True)
        shutil.rmtree(folder, ignore_errors=True)
    show(report)
    if options.json:
        options.json.write_text(json.dumps(report, indent=1, ensure_ascii=False) + "\n")


def run(project: Project) -> dict:
    ran = project.run().checked()
    stage = ran.stages()["pixels"]
    decoded = ran.decoded()
    if stage["outcome"] == "cached":
        decoded = 0
    return {
        "seconds": ran.wall,
        "stage seconds": stage["seconds"] if stage["outcome"] == "ran" else 0.0,
        "images": len(project.listed()),
        "decoded": decoded,
        "said": next((line.strip() for line in ran.err.splitlines() if "decoded" in line), ""),
        "peak": ran.peak,
    }


def show(report: dict) -> None:
    print(f"## One image more, one image less ({report['images']:,} of {WIDTH}x{HEIGHT})\n")
    for key, value in report["machine"].items():
        print(f"- {key}: {value}")
    full = report["runs"]["a full run"]["seconds"]
    print("\n| run | images decoded | mark | wall time | of a full run | in the stage | peak memory |\n|---|---|---|---|---|---|---|")
    for (name, found), mark in zip(report["runs"].items(), ["all", "1", "0", "0"]):
        decoded = "all (not said otherwise)" if found["decoded"] is None else f"{found['decoded']:,}"
        print(
            f"| {name} | {decoded} | {mark} | {found['seconds']:.2f} s | {found['seconds'] / full:.1%} |"
            f" {found['stage seconds']:.2f} s | {found['peak'] / 1e6:.0f} MB |"
        )


def place(images: Path, i: int) -> Path:
    return images / f"class{i % CLASSES:02}" / f"{i:06}.jpg"


def make(images: Path, count: int) -> None:
    """Makes the set where it is not there yet in full."""
    stamp = images.with_suffix(".json")
    form = {"count": count, "side": [WIDTH, HEIGHT], "quality": QUALITY, "version": 1}
    if stamp.exists() and json.loads(stamp.read_text()) == form:
        return
    print(f"making {count} images", file=sys.stderr)
    shutil.rmtree(images, ignore_errors=True)
    for i in range(CLASSES):
        (images / f"class{i:02}").mkdir(parents=True)
    with ProcessPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        for i, data in enumerate(pool.map(picture, range(count), chunksize=64)):
            place(images, i).write_bytes(data)
    stamp.write_text(json.dumps(form))


def picture(i: int) -> bytes:
    """Picture `i`: a piece of a photograph under large patches of colour of its own, so that no two look alike, and noise."""
    if not _sources:
        _sources.extend(photographs.load(name) for name in photographs.SOURCES)
    rng = np.random.default_rng([WIDTH, i])
    source = _sources[i % len(_sources)]
    piece = photographs.crop(source, rng.uniform(0.5, 0.9), rng.uniform(size=2), int(rng.integers(8)))
    piece = np.asarray(piece.resize((WIDTH, HEIGHT)), np.int16)
    patches = Image.fromarray(rng.integers(0, 256, (6, 8, 3), np.uint8)).resize((WIDTH, HEIGHT), Image.Resampling.BICUBIC)
    noise = rng.integers(-12, 13, (HEIGHT, WIDTH, 1), np.int16)
    return photographs.jpeg((piece // 3 + np.asarray(patches, np.int16) * 2 // 3 + noise).astype(np.float32), QUALITY)


if __name__ == "__main__":
    main()
