"""What the installed package does in Python, held against the program; started by tests/wheel.py in a project with a finished pipeline.

    python tests/wheel_calls.py pipelines/photos.toml photos

  * onnxruntime, by the snippet of docs/models.md, and `kfood.load` name the first class of `kfood predict`;
  * from the same bytes the logits of `kfood.load` are within 1e-4 of kfood's, for a network of each family, through crops and second resizes;
  * its pixels are those of `quality = "exact"` as nearly as Pillow's are;
  * `kfood.results` has the figures of `kfood report --json`, with pandas and without;
  * the Python of docs/python.md runs as it stands; an interrupt ends a run in good order.
Exits with 1 if anything differs.
"""

import contextlib
import io
import json
import math
import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import time

import kfood
import numpy as np
import onnx_parity
import torch
from kfood import _program
from onnx_parity import GEOMETRIES, HEIGHT, MEAN, NAMES, STD, WIDTH, predicted, said
from PIL import Image
from pytorch_parity import ARCHS, BOUND, forward, random_model, report
from safetensors.torch import load_file, save_file

ROOT = pathlib.Path(__file__).resolve().parent.parent
FAMILIES = ("resnet18", "resnet50", "convnext_tiny", "efficientnet_b0")
# A network that has learnt little is in two minds about some photographs: where its two best classes are nearer to each other than
# Pillow's rounding makes of a probability, either may come first.
NEAR = 0.02


def photographs(folder):
    return sorted(file.absolute() for file in folder.rglob("*") if file.suffix.lower() in (".jpg", ".jpeg", ".png"))


def check_installed():
    at = pathlib.Path(kfood.__file__)
    good = at.is_relative_to(sys.prefix) and _program.program() == f"{sys.prefix}/bin/kfood"
    version = subprocess.run([sys.executable, "-m", "kfood", "--version"], capture_output=True, text=True).stdout.strip()
    return report(good and version.startswith("kfood "), f"installed        {version}, {at.relative_to(sys.prefix).parent}")


def check_results(pipeline):
    told = json.loads(subprocess.run(["kfood", "report", pipeline, "--json"], capture_output=True, text=True, check=True).stdout)
    wanted = [(row["evaluation"], part["part"], part["top1"]["mean"], part["loss"]["mean"], part["top1"]["interval"]["high"]) for row in told["rows"] for part in row["parts"]]
    frame = kfood.results(pipeline)
    of = lambda rows: [(r["evaluation"], r["part"], r["top1"], r["loss"], r["top1_high"]) for r in rows]
    pandas = sys.modules["pandas"]
    sys.modules["pandas"] = None
    plain = kfood.results(pipeline)
    sys.modules["pandas"] = pandas
    good = type(frame) is pandas.DataFrame and of(frame.to_dict("records")) == wanted == of(plain) and type(plain) is list and len(plain) > 1
    return report(good, f"results          {len(plain)} rows, with pandas {pandas.__version__} and without")


def same(ours, theirs, what):
    """Of some photographs the probabilities by class: whether the first class is the same."""
    first = lambda row: max(row, key=row.get)
    two = lambda row: sorted(row.values())[-2:]
    alike = sum(first(a) == first(b) for a, b in zip(ours, theirs))
    apart = max(abs(a[name] - b[name]) for a, b in zip(ours, theirs) for name in a)
    near = sum(first(a) != first(b) and two(a)[1] - two(a)[0] < NEAR for a, b in zip(ours, theirs))
    share = (alike + near) / len(ours) if alike >= 0.98 * len(ours) else 0
    # A model that calls everything the same would agree with anything.
    told = len({first(row) for row in ours})
    text = f"{what:16} kfood's first class for {alike} of {len(ours)}"
    text += f", {near} more in two minds" if near else ""
    return report(share >= 0.99 and told > 2 and apart < 0.1, f"{text}, of {told} that it tells; largest difference of a probability {apart:.4f}")


def check_first_classes(pipeline, folder):
    files = photographs(folder)
    ours = predicted("kfood", f"{pipeline}:net", files)
    files, ours = zip(*[(file, row) for file, row in zip(files, ours) if row])
    module, transform = kfood.load(f"{pipeline}:net")
    with torch.no_grad():
        rows = torch.cat([module(torch.stack([transform(file) for file in files[at : at + 32]])) for at in range(0, len(files), 32)]).softmax(1)
    theirs = [dict(zip(module.classes, row.tolist())) for row in rows]
    good = same(ours, theirs, "kfood.load")

    space = {}
    exec(onnx_parity.snippet(), space)
    names = space["said"]["classes"]
    run = space["session"].run

    def all_of(_, inputs):
        """The snippet tells the first class alone."""
        found.append(dict(zip(names, run(["probabilities"], inputs)[0][0].tolist())))
        return run(None, inputs)

    found, space["session"] = [], type("Listening", (), {"run": staticmethod(all_of)})
    told = [space["classify"](file)[0] for file in files]
    assert told == [max(row, key=row.get) for row in found]
    return good & same(ours, found, "onnxruntime")


def check_logits(folder):
    """Networks with random weights, in files of kfood's own."""
    good = True
    pixels = np.random.default_rng(3).integers(0, 256, (3, 3, HEIGHT, WIDTH), dtype=np.uint8)
    files = [folder / f"{i}.png" for i in range(len(pixels))]
    for file, image in zip(files, pixels):
        Image.fromarray(image.transpose(1, 2, 0)).save(file)
    libraries = json.loads(subprocess.run(["kfood", "doctor", "--json"], capture_output=True, text=True, check=True).stdout)["libtorch"]["folder"]
    for arch in FAMILIES:
        state = {n: t.clone().contiguous() for n, t in random_model(arch, seed=ARCHS.index(arch)).state_dict().items()}
        for name, (crop, resolution) in GEOMETRIES.items():
            if name != "whole" and arch != "resnet18":
                continue
            model = folder / "model.safetensors"
            save_file(state, model, metadata={"format": "pt", "kfood": json.dumps(said(arch, crop, resolution))})
            module, transform = kfood.load(model)
            equal = all(torch.equal(transform.pixels(file), torch.from_numpy(image)) for file, image in zip(files, pixels))
            with torch.no_grad():
                logits = module(transform.normalized(torch.from_numpy(pixels)))
            ours = torch.tensor([[row[name] for name in NAMES] for row in predicted("kfood", model, files)])
            apart = (logits.softmax(1) - ours).abs().max().item()
            text = f"{arch:16} {name:15} largest difference of a probability {apart:.1e}"
            if name == "whole":
                os.environ["LD_LIBRARY_PATH"] = libraries
                wanted = forward(f"{sys.prefix}/bin/kfood-worker", model, transform.normalized(torch.from_numpy(pixels)), folder / "job")
                del os.environ["LD_LIBRARY_PATH"]
                apart_logits = (logits - wanted).abs().max().item()
                text += f", of a logit {apart_logits:.1e} (up to {wanted.abs().max():.2f})"
                good &= apart_logits < BOUND
            good &= report(equal and apart < 1e-5 and module.classes == NAMES, text)
    return good


RULES = {
    "squash": 'resize = { width = 96, height = 64 }',
    "crop": 'resize = { width = 96, height = 64, fit = "crop" }\nfilter = "bicubic"',
    "pad": 'resize = { width = 96, height = 64, fit = "pad" }\nfilter = "lanczos"',
    "short_side": 'resize = { short_side = 80, crop = 64 }',
}


def check_pixels(folder):
    """The pixels of some photographs by each rule, against kfood's exact ones: PSNR in dB."""
    good = True
    files = photographs(folder)
    files = [file for file in files if file.suffix.lower() in (".jpg", ".jpeg", ".png")][:: max(len(files) // 40, 1)]
    with tempfile.TemporaryDirectory() as place:
        place = pathlib.Path(place)
        # Two classes, which a data set has at least, in the order of the files.
        for i, file in enumerate(files):
            link = place / "d" / ("a" if i < len(files) // 2 else "b") / f"{i:03}{file.suffix}"
            link.parent.mkdir(parents=True, exist_ok=True)
            link.symlink_to(file)
        for rule, text in RULES.items():
            (place / "p.toml").write_text(f'[dataset.d]\ntrain = "d"\n\n[preprocess.p]\ndataset = "d"\nunreadable = "drop"\nquality = "exact"\n{text}\n')
            quiet = {"cwd": place, "check": True, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
            subprocess.run(["kfood", "run", "p.toml"], **quiet)
            shown = subprocess.run(["kfood", "show", "p.toml:p", "--json"], cwd=place, check=True, capture_output=True, text=True).stdout
            pack = next(output["path"] for output in json.loads(shown)["outputs"] if output["name"] == "pixels.pack")
            rows = pack_rows(pathlib.Path(pack))
            words = re.search(r'filter = "(\w+)"', text)
            resize = {"squash": {"width": 96, "height": 64, "fit": "squash"}, "short_side": {"short_side": 80, "crop": 64}}.get(rule, {"width": 96, "height": 64, "fit": rule})
            transform = kfood.Transform({"pixels": {"resize": resize, "filter": words[1] if words else "bilinear", "quality": "exact"}, "center_crop": None, "normalize": {"mean": MEAN, "std": STD}})
            each = []
            for file, row in zip(files, rows, strict=True):
                error = np.mean((transform.pixels(file).permute(1, 2, 0).numpy().astype(float) - row) ** 2)
                each.append(100.0 if error == 0 else 10 * math.log10(255**2 / error))
            good &= report(np.mean(each) > 50, f"pixels           {rule:15} {np.mean(each):.1f} dB in the mean, {min(each):.1f} at worst, of {len(each)} photographs")
    return good


def pack_rows(pack):
    """The rows of a pack, by the one reader that Python has of them."""
    sys.path.insert(0, str(ROOT / "benches"))
    from peers.program import rows

    return rows(pack)


def check_docs():
    """docs/python.md from top to bottom, in one namespace."""
    page = (ROOT / "docs" / "python.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    space, out = {}, io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(io.StringIO()):
        for block in blocks:
            exec(block, space)
    lines = out.getvalue().strip().splitlines()
    page = space["page"]
    good = pathlib.Path("photos.html").read_text(encoding="utf-8") == page.html and "srcdoc=" in page._repr_html_()
    # The last piece prints an error and its exit code.
    good &= lines[-1].endswith(" 2")
    return report(good, f"docs/python.md   {len(blocks)} pieces of Python; the report has {len(page.html) / 1e6:.1f} MB")


def check_interrupt(pipeline):
    """Ctrl-C, which reaches a group of processes; and an interrupt of Python alone, which needs two."""
    good = True
    longer = re.sub(r"(?m)^epochs = \d+$", "epochs = 500", pathlib.Path(pipeline).read_text(encoding="utf-8"))
    pathlib.Path("pipelines/longer.toml").write_text(longer, encoding="utf-8")
    for what, send in (("Ctrl-C", os.killpg), ("Python alone", os.kill)):
        child = subprocess.Popen([sys.executable, "-c", "import kfood; kfood.run('pipelines/longer.toml', 'net')"], stderr=subprocess.PIPE, text=True, start_new_session=True)
        lines = []
        for line in child.stderr:
            lines.append(line)
            if "epoch" in line and child.poll() is None and not any("sent" == at for at in lines):
                lines.append("sent")
                send(child.pid, signal.SIGINT)
                if send is os.kill:
                    time.sleep(0.5)
                    send(child.pid, signal.SIGINT)
        code = child.wait()
        text = "".join(lines)
        ended = "1 interrupted" in text and "KeyboardInterrupt" in text and code in (1, 130, -signal.SIGINT)
        alive = subprocess.run(["pgrep", "-f", "pipelines/longer.toml"], capture_output=True, text=True).stdout.split()
        good &= report(ended and not alive, f"interrupt        {what}: {next((l.strip() for l in lines if '1 interrupted' in l), text)}")
    return good


def main():
    pipeline, folder = sys.argv[1], pathlib.Path(sys.argv[2])
    good = check_installed()
    good &= check_results(pipeline)
    good &= check_first_classes(pipeline, folder)
    good &= check_pixels(folder)
    with tempfile.TemporaryDirectory() as place:
        good &= check_logits(pathlib.Path(place))
    good &= check_docs()
    good &= check_interrupt(pipeline)
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
