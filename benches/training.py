"""Training against PyTorch, in one run: see benches/README.md. Prints tables, asserts nothing."""

import argparse
import ctypes.util
import json
import os
import re
import shutil
import statistics
import subprocess
import sys
from pathlib import Path

from peers import machine
from peers.training import MODES

SIDE = 224
CROP = 200
PIPELINE = """\
seed = 1

[dataset.dishes]
train = {data}

[split.most]
dataset = "dishes"
validation = 0.02

[preprocess.pixels]
dataset = "dishes"
resize = {{ width = {side}, height = {side} }}

[train.net]
data = "pixels"
split = "most"
arch = "{arch}"
epochs = 1
batch_size = {batch}
precision = "{precision}"
optimizer.sgd = {{ lr = 0.001, momentum = 0.9 }}
augment = {augment}
"""
AUGMENT = f"[{{ random_rotation = 15 }}, {{ center_crop = {CROP} }}, {{ random_horizontal_flip = 0.5 }}]"
# Against PyTorch on a CPU: as a person writes it, by the precision that kfood has, and at its best.
MARKS = {"bf16": "2.0x", "f32": "1.2x"}
BEST = "0.95x"
ALLOCATOR = Path(__file__).parents[1] / "src/native/allocator.rs"
CPU, GPU = [("resnet18", 32), ("resnet50", 16)], [(f"resnet{n}", b) for n in (18, 50, 101) for b in (32, 64, 256)]


def main() -> None:
    options = arguments()
    if not options.data:
        options.data = options.work / "dishes"
        subprocess.run([options.kfood, "sample", options.data], check=True, stdout=subprocess.DEVNULL)
        options.data = options.data / "train"
    report = {"machine": machine.describe(options.kfood), "device": options.device, "rounds": options.rounds, "nets": []}
    for arch, batch in options.net or (CPU if options.device == "cpu" else GPU):
        report["nets"].append(net(arch, batch, options))
    if options.device == "cpu":
        report["loader"] = loader(options)
    report["machine"]["load at the end"] = machine.load()
    show(report)
    if options.json:
        options.json.write_text(json.dumps(report, indent=1, ensure_ascii=False) + "\n")


def arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kfood", type=Path, default=Path("target/release/kfood"))
    parser.add_argument("--work", type=Path, default=Path("target/bench/training"))
    parser.add_argument("--data", type=Path, help="class folders with photographs; generated ones by default")
    parser.add_argument("--device", default="cpu", help="`cpu` or `cuda:0`")
    parser.add_argument("--net", action="append", type=lambda t: (t.split(":")[0], int(t.split(":")[1])), help="such as resnet50:64; may be repeated")
    parser.add_argument("--mode", action="append", choices=list(MODES), help="only these ways of PyTorch")
    parser.add_argument("--jemalloc", default=ctypes.util.find_library("jemalloc"), help="a shared jemalloc for PyTorch, such as Debian's libjemalloc2")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--steps", type=int, help="of each way in a round")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    options.kfood = options.kfood.resolve()
    options.steps = options.steps or (8 if options.device == "cpu" else 60)
    options.mode = options.mode or (list(MODES) if options.device == "cpu" else ["best", "compiled"])
    if not options.jemalloc and "jemalloc" in options.mode:
        print("no jemalloc is found for PyTorch (`--jemalloc`): its best is timed with glibc's allocator alone", file=sys.stderr)
        options.mode.remove("jemalloc")
    options.work.mkdir(parents=True, exist_ok=True)
    return options


class Worker:
    """kfood's own parts of a training, timed by `kfood-worker` itself."""

    def __init__(self, arch: str, batch: int, precision: str, augment: str, options):
        self.program, self.device = options.kfood.with_name("kfood-worker"), options.device
        self.folder = (options.work / f"{arch}-{batch}-{precision}-{len(augment)}").resolve()
        self.folder.mkdir(parents=True, exist_ok=True)
        file = self.folder / "pipeline.toml"
        data = json.dumps(str(options.data.resolve()), ensure_ascii=False)
        file.write_text(PIPELINE.format(data=data, side=SIDE, arch=arch, batch=batch, precision=precision, augment=augment))
        env = os.environ | {"KFOOD_CACHE": str((options.work / "cache").resolve())}
        ask = lambda *words: subprocess.run([options.kfood, *words], env=env, capture_output=True, text=True, check=True).stdout
        ask("run", file, "pixels", "most", "--json")
        stages = {stage: json.loads(ask("explain", file, stage, "--json"))[0] for stage in ("dishes", "pixels", "most", "net")}
        entries = Path(env["KFOOD_CACHE"]) / "entries"
        output = lambda stage, name: str(next((entries / stages[stage]["record"]["key"]).rglob(name)))
        settings = stages["net"]["settings"]  # Never run, so that they stand there in full.
        self.fit = {
            "data": {"pack": output("pixels", "pixels.pack"), "labels": output("dishes", "labels.json"), "split": output("most", "membership.json"), "fold": None},
            "pixels": settings["pixels"], "training": settings["training"], "start": {"scratch": {"arch": arch, "zero_init_residual": False}},
            "device": options.device, "threads": len(os.sched_getaffinity(0)), "out": str(self.folder), "state": str(self.folder / "state"),
        }

    def round(self, steps: int) -> dict:
        job = self.folder / "job.json"
        job.write_text(json.dumps({"speed": {"fit": self.fit, "steps": steps, "rounds": 1}}))
        # The end of its input tells a worker that its parent is gone, so the pipe stays open until it has ended.
        worker = subprocess.Popen([self.program, job], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        said = worker.stdout.read()
        if worker.wait() != 0:
            raise SystemExit(f"`kfood-worker` ended with {worker.returncode}:\n{said}")
        return json.loads((self.folder / "speed.json").read_text())


class Peer:
    """A process of PyTorch that stays."""

    def __init__(self, jemalloc=None, **settings):
        command = [sys.executable, "-m", "peers.training", json.dumps(settings)]
        self.jemalloc = bool(jemalloc)
        env = os.environ | ({"LD_PRELOAD": jemalloc, "MALLOC_CONF": settings_of_jemalloc()} if jemalloc else {})
        self.process = subprocess.Popen(command, cwd=Path(__file__).parent, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.answer()

    def answer(self) -> dict:
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit("a process of PyTorch ended; what it said stands above")
        return json.loads(line)

    def round(self, steps: int) -> dict:
        self.process.stdin.write(f"{steps}\n")
        self.process.stdin.flush()
        return self.answer()

    def close(self) -> None:
        self.process.stdin.close()
        self.process.wait()


def settings_of_jemalloc() -> str:
    """Those of kfood's worker."""
    return re.search(r'SETTINGS: &CStr\s*=\s*c"([^"]+)"', ALLOCATOR.read_text())[1]


def fastest(options) -> str:
    """The precision that gains there, as `kfood doctor` has it: PyTorch's best has the same."""
    said = json.loads(subprocess.run([options.kfood, "doctor", "--json"], capture_output=True, text=True, check=True).stdout)
    return next(found["precision_auto"] for found in said["tensors"]["devices"] if found["device"] == options.device)


def net(arch: str, batch: int, options) -> dict:
    """All ways of training one network, interleaved."""
    threads = len(os.sched_getaffinity(0))
    fast = fastest(options)
    precisions = ["auto", "f32"] if options.device == "cpu" and fast != "f32" else ["auto"]
    ours = {p: Worker(arch, batch, p, AUGMENT if options.device != "cpu" else "[]", options) for p in precisions}
    same = {"arch": arch, "batch": batch, "side": SIDE if options.device == "cpu" else CROP, "device": options.device, "threads": threads, "fast": fast}
    preload = options.jemalloc if options.device == "cpu" else None
    peers = {m: Peer(mode=m, jemalloc=preload if m in ("jemalloc", "compiled") else None, **same) for m in options.mode}
    rounds = {name: [] for name in [*ours, *peers]}
    for turn in range(options.rounds):
        print(f"{arch}, batch {batch}: round {turn + 1} of {options.rounds}", file=sys.stderr)
        for name, way in {**ours, **peers}.items():
            rounds[name].append(way.round(options.steps))
    for peer in peers.values():
        peer.close()
    result = {"arch": arch, "batch": batch, "side": SIDE if options.device == "cpu" else CROP, "fast": fast, "ours": {}, "peers": {}}
    for name in ours:
        found = rounds[name]
        result["ours"][name] = {k: [f[k][0] for f in found] for k in ("loading", "steps", "training")}
        result["ours"][name] |= {"peak": max(f["peak"] for f in found), "precision": found[0]["fingerprint"]["precision"]}
    for name in peers:
        result["peers"][name] = {"rate": [f["rate"] for f in rounds[name]], "peak": max(f["peak"] for f in rounds[name]), "jemalloc": peers[name].jemalloc}
    return result


def loader(options) -> dict:
    """kfood's loader alone against torch's DataLoader over JPEGs that have the pack's size already."""
    from PIL import Image

    folder = (options.work / "resized").resolve()
    shutil.rmtree(folder, ignore_errors=True)
    for path in sorted(p for p in options.data.rglob("*") if p.suffix.lower() in (".jpg", ".jpeg", ".png")):
        to = (folder / path.relative_to(options.data)).with_suffix(".jpg")
        to.parent.mkdir(parents=True, exist_ok=True)
        Image.open(path).convert("RGB").resize((SIDE, SIDE), Image.BILINEAR).save(to, quality=90)
    ours = Worker("resnet18", 32, "auto", AUGMENT, options)
    peer = Peer(mode="loading", folder=str(folder), batch=32, crop=CROP, workers=2, threads=2)
    result = {"kfood": [], "peer": []}
    for _ in range(options.rounds):
        result["kfood"].append(ours.round(options.steps)["loading"][0])
        result["peer"].append(peer.round(5 * options.steps)["rate"])  # As many as kfood loads.
    peer.close()
    return result


def show(report: dict) -> None:
    print(f"## Training on {report['device']}\n")
    for key, value in report["machine"].items():
        print(f"- {key}: {value}")
    print(f"- medians (smallest to largest) of {report['rounds']} interleaved rounds; a ratio is the median of the rounds' ratios\n")
    for found in report["nets"]:
        table(found)
    if "loader" in report:
        pairs = report["loader"]
        print("### The loader alone: 224 px rows, rotation, crop to 200, flip, normalisation, batches of 32\n")
        print("| | images/s | kfood is | mark |\n|---|---|---|---|")
        print(f"| kfood, from its pack | {spread(pairs['kfood'])} | | |")
        print(f"| DataLoader over JPEGs of 224 px, 2 workers | {spread(pairs['peer'])} | {ratio(pairs['kfood'], pairs['peer'])} | 5x |")


def table(found: dict) -> None:
    print(f"### {found['arch']}, batch {found['batch']}, {found['side']} px\n")
    print("| | images/s | " + " | ".join(f"kfood `{p}` is" for p in found["ours"]) + " | peak MB |\n|---|---|" + "---|" * (len(found["ours"]) + 1))
    for name, ours in found["ours"].items():
        cells = " | ".join("" for _ in found["ours"])
        print(f"| kfood `{name}` ({ours['precision']}), loading included | {spread(ours['training'])} | {cells} | {ours['peak'] / 1e6:.0f} |")
    for name, peer in found["peers"].items():
        cells = []
        for precision, ours in found["ours"].items():
            mark = MARKS[ours["precision"]] if name == "eager" else BEST if precision == "auto" else None
            cells.append(ratio(ours["training"], peer["rate"]) + (f" (mark {mark})" if mark else ""))
        under = ", under jemalloc" if peer["jemalloc"] else ""
        print(f"| {MODES[name].format(fast=found['fast'])}{under}, one resident batch | {spread(peer['rate'])} | " + " | ".join(cells) + f" | {peer['peak'] / 1e6:.0f} |")
    for name, ours in found["ours"].items():
        lost = statistics.median(1 - t / s for t, s in zip(ours["training"], ours["steps"]))
        print(f"\nkfood `{name}`: steps on a resident batch {spread(ours['steps'])} images/s, loading alone {spread(ours['loading'])}; loading costs a training {lost:.1%} (mark 3%).")
    print()


def spread(values) -> str:
    digits = 0 if max(values) >= 1000 else 1
    return f"{statistics.median(values):.{digits}f} ({min(values):.{digits}f}-{max(values):.{digits}f})"


def ratio(ours, theirs) -> str:
    return f"{statistics.median(a / b for a, b in zip(ours, theirs)):.2f}x"


if __name__ == "__main__":
    main()
