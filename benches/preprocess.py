"""The whole `preprocess` stage against what Python users write, in one run: see benches/README.md. Prints tables, asserts nothing."""

import argparse
import dataclasses
import json
import os
import shutil
import statistics
import sys
from pathlib import Path

import numpy as np

from peers import machine, photographs, web
from peers.methods import METHODS, SIDE, TITLES
from peers.pool import Pool
from peers.program import Project, rows

# The marks of the project, for two cores; the limit's is for one.
MARKS = {
    "1024x768": {"pillow": 2.5, "torchvision": 1.5, "simplejpeg": 1.4, "draft": 1.5, "limit": 0.60},
    "4000x3000": {"pillow": 4.5, "torchvision": 2.4, "simplejpeg": 1.0, "draft": 1.0, "limit": 0.85},
    "512x384": {"pillow": 2.4, "torchvision": 1.2, "simplejpeg": 1.7, "draft": 2.2, "limit": 0.50},
}
WEB_MARKS = {
    "all made progressive": {"pillow": 2.7, "draft": 1.9, "simplejpeg": 1.9},
    "as it lies": {"pillow": 2.8, "draft": 1.9, "simplejpeg": 1.9},
    "all made plain": {"pillow": 4.0, "draft": 2.4, "simplejpeg": 2.5},
}
SCALING_MARK = 1.7
PSNR_MARKS = {"fast against exact": (50, 45), "exact against Pillow": (55, None), "fast against Pillow": (None, None)}
KFOOD = "kfood"


def main() -> None:
    options = arguments()
    data = options.work / "photographs"
    print("making the photographs, where they are not there yet", file=sys.stderr)
    sizes = [size for size in photographs.SIZES if not options.size or size.name in options.size]
    if options.images:
        sizes = [dataclasses.replace(size, count=options.images) for size in sizes]
    photographs.make(data, sizes, len(os.sched_getaffinity(0)))
    report = {"machine": machine.describe(options.kfood), "rounds": options.rounds, "side": SIDE, "sizes": {}}
    for size in sizes:
        report["sizes"][size.name] = measure(size, data / size.name, options)
    if not options.size or web.FOLDER in options.size:
        report["web"] = measure_web(options)
    report["machine"]["load at the end"] = machine.load()
    show(report)
    if options.json:
        options.json.write_text(json.dumps(report, indent=1, ensure_ascii=False) + "\n")


def arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kfood", type=Path, default=Path("target/release/kfood"))
    parser.add_argument("--work", type=Path, default=Path("target/bench"), help="where photographs and caches are made")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--size", action="append", help="only this one, such as 1024x768 or web7; may be repeated")
    parser.add_argument("--images", type=int, help="so many of each size, made anew where there are others")
    parser.add_argument("--json", type=Path, help="write everything there as well")
    options = parser.parse_args()
    options.kfood = options.kfood.resolve()
    return options


def measure(size, images: Path, options) -> dict:
    """All methods on one size: seconds of every round on 1 and 2 cores, and how alike the pixels are."""
    folder = options.work / "preprocess"
    shutil.rmtree(folder, ignore_errors=True)
    project = Project(options.kfood, folder / KFOOD, images, SIDE)
    project.run().checked()  # Warms the page cache and names the order of the images.
    names = project.listed()
    paths = [str(images / name) for name in names]
    available = sorted(os.sched_getaffinity(0))
    counts = [n for n in (1, 2) if n <= len(available)]
    pools = {(name, n): Pool(name, available[:n], paths[:4]) for name in METHODS for n in counts if (name, n) != ("limit", 2)}
    seconds = {n: {KFOOD: [], **{name: [] for name, m in pools if m == n}} for n in counts}
    cpu = {name: [] for name in seconds[1]}
    stages = {n: {"photographs": [], "pixels": []} for n in counts}
    for turn in range(options.rounds):
        print(f"{size.name}: round {turn + 1} of {options.rounds}", file=sys.stderr)
        for n in counts:
            project.forget()
            ran = project.run(available[:n]).checked()
            seconds[n][KFOOD].append(ran.wall)
            if n == 1:
                cpu[KFOOD].append(ran.cpu)
            for stage, list_ in stages[n].items():
                list_.append(ran.stages()[stage]["seconds"])
            for name in seconds[n]:
                if name != KFOOD:
                    wall, spent = pools[name, n].seconds(paths, str(folder / f"{name}.rows"))
                    seconds[n][name].append(wall)
                    if n == 1:
                        cpu[name].append(spent)
    for pool in pools.values():
        pool.close()
    return {
        "images": len(names),
        "median bytes": int(statistics.median(os.path.getsize(path) for path in paths)),
        "look-alike pairs": len(json.loads(project.output("look_alikes.json").read_text())["a"]),
        "seconds": seconds,
        "CPU seconds on 1 core": cpu,
        "stage seconds": stages,
        "psnr": alike(project, folder, images, names, options),
    }


def measure_web(options) -> dict | None:
    """Photographs as they lie on the web: seconds of the whole command on two cores, on either side."""
    if why := web.missing():
        print(f"photographs from the web are passed over: {why}", file=sys.stderr)
        return None
    cpus = sorted(os.sched_getaffinity(0))[:2]
    folder = options.work / "web"
    found = {}
    for kind in web.JPEGTRAN:
        images = web.make(folder, kind)
        project = Project(options.kfood, folder / KFOOD, images, SIDE)
        project.forget()
        project.run().checked()
        paths = [str((images / name).resolve()) for name in project.listed()]
        seconds = {name: [] for name in (KFOOD, *web.PEERS)}
        for turn in range(options.rounds):
            print(f"{web.FOLDER}, {kind}: round {turn + 1} of {options.rounds}", file=sys.stderr)
            project.forget()
            seconds[KFOOD].append(project.run(cpus).checked().wall)
            for name in web.PEERS:
                seconds[name].append(web.seconds(name, paths, (folder / f"{name}.rows").resolve(), cpus))
        found[kind] = {"images": len(paths), "seconds": seconds}
        shutil.rmtree(images)
    return found


def alike(project: Project, folder: Path, images: Path, names: list[str], options) -> dict:
    """PSNR in dB between the ways, image by image: mean and worst."""
    exact = Project(options.kfood, folder / "exact", images, SIDE, quality="exact")
    exact.run().checked()
    assert exact.listed() == names
    packs = {"fast": rows(project.output("pixels.pack")), "exact": rows(exact.output("pixels.pack"))}
    shape = (len(names), SIDE, SIDE, 3)
    peers = {name: np.memmap(folder / f"{name}.rows", np.uint8, "r", shape=shape) for name in METHODS if name != "limit"}
    pairs = {
        "fast against exact": (packs["fast"], packs["exact"]),
        "exact against Pillow": (packs["exact"], peers["pillow"]),
        "fast against Pillow": (packs["fast"], peers["pillow"]),
    }
    pairs |= {f"{TITLES[name]} against Pillow": (peer, peers["pillow"]) for name, peer in peers.items() if name != "pillow"}
    return {name: psnr(a, b) for name, (a, b) in pairs.items()}


def psnr(a, b) -> dict:
    """Peak is 255; equal images count as 100 dB."""
    each = []
    for x, y in zip(a, b, strict=True):
        error = np.mean((x.astype(np.float64) - y) ** 2)
        each.append(100.0 if error == 0 else 10 * np.log10(255**2 / error))
    return {"mean": float(np.mean(each)), "worst": float(min(each))}


def show(report: dict) -> None:
    print("## JPEG to 224 x 224: the whole stage\n")
    for key, value in report["machine"].items():
        print(f"- {key}: {value}")
    print(f"- medians of {report['rounds']} interleaved rounds; a ratio is the median of the rounds' ratios")
    for name, result in report["sizes"].items():
        speed(name, result)
    if report["sizes"]:
        quality(report["sizes"])
    if report.get("web"):
        from_the_web(report["web"])


def speed(name: str, result: dict) -> None:
    """The table of one size. Ratios are kfood's images/s over the other's."""
    n, seconds, marks = result["images"], result["seconds"], MARKS.get(name, {})
    cpu = result["CPU seconds on 1 core"]
    counts = list(seconds)
    print(f"\n### {name}: {n} images of {result['median bytes'] / 1000:.0f} KB\n")
    head = [f"images/s, {c} core{'s' * (c > 1)}" for c in counts] + [f"kfood is, {c} core{'s' * (c > 1)}" for c in counts]
    print("| | " + " | ".join([*head, "mark", "images per CPU-second, 1 core", "kfood is"]) + " |\n|---|" + "---|" * (len(head) + 3))
    for method in [KFOOD, *METHODS]:
        cells = [rate(n, seconds[c].get(method)) for c in counts]
        for c in counts:
            cells.append(ratio(seconds[c].get(method), seconds[c][KFOOD], method))
        mark = marks.get(method)
        cells.append("" if mark is None else f"{mark:.0%} (1 core)" if method == "limit" else f"{mark}x")
        cells += [rate(n, cpu[method]), ratio(cpu[method], cpu[KFOOD], method)]
        print(f"| {TITLES.get(method, 'kfood run, fresh cache')} | " + " | ".join(cells) + " |")
    stages = {c: {k: statistics.median(v) for k, v in result["stage seconds"][c].items()} for c in counts}
    for c in counts:
        inside = ", ".join(f"`{k}` {v * 1000:.0f} ms" for k, v in stages[c].items())
        wall = statistics.median(seconds[c][KFOOD])
        print(f"\nOn {c} core{'s' * (c > 1)} a run took {wall * 1000:.0f} ms, of which {inside} ({n / stages[c]['pixels']:.0f} images/s in the stage alone).")
    if 2 in counts:
        pairs = zip(seconds[1][KFOOD], seconds[2][KFOOD])
        print(f"\nFrom 1 to 2 cores: {statistics.median(a / b for a, b in pairs):.2f}x (mark {SCALING_MARK}x). Look-alike pairs found: {result['look-alike pairs']}.")


def from_the_web(found: dict) -> None:
    """Ratios are kfood's images/s over the other's, of whole commands; the mark is in brackets."""
    print(f"\n### Photographs as they lie on the web ({web.FOLDER}, each {web.COPIES} times), 2 cores\n")
    head = [f"against {TITLES[name]}" for name in web.PEERS]
    print("| photographs | kfood, images/s | " + " | ".join(head) + " |\n|---|---|" + "---|" * len(head))
    for kind, result in found.items():
        seconds, marks = result["seconds"], WEB_MARKS[kind]
        cells = [f"{ratio(seconds[name], seconds[KFOOD], name)} ({marks[name]}x)" for name in web.PEERS]
        print(f"| {kind} ({result['images']}) | {rate(result['images'], seconds[KFOOD])} | " + " | ".join(cells) + " |")


def rate(n: int, seconds) -> str:
    if not seconds:
        return ""
    rates = [n / s for s in seconds]
    digits = 0 if max(rates) >= 100 else 1
    return f"{statistics.median(rates):.{digits}f} ({min(rates):.{digits}f}-{max(rates):.{digits}f})"


def ratio(other, ours, method: str) -> str:
    if not other or method == KFOOD:
        return ""
    value = statistics.median(b / a for a, b in zip(ours, other))
    return f"{value:.0%}" if method == "limit" else f"{value:.2f}x"


def quality(sizes: dict) -> None:
    print("\n### How alike the pixels are: PSNR in dB, mean (worst image)\n")
    print("| | " + " | ".join([*sizes, "mark"]) + " |\n|---|" + "---|" * (len(sizes) + 1))
    for name in next(iter(sizes.values()))["psnr"]:
        found = [result["psnr"][name] for result in sizes.values()]
        mean, worst = PSNR_MARKS.get(name, (None, None))
        mark = "" if mean is None else f"{mean}" + (f" ({worst})" if worst else "")
        print(f"| {name} | " + " | ".join([f"{f['mean']:.1f} ({f['worst']:.1f})" for f in found] + [mark]) + " |")


if __name__ == "__main__":
    main()
