"""Holds kfood's ONNX files against onnx's checker and onnxruntime.

    pip install torch==2.11.0 torchvision==0.26.0 timm==1.0.31 numpy safetensors pillow onnx==1.23.2 onnxruntime==1.32.0
    cargo build
    python tests/onnx_parity.py                        # all networks: two minutes on two cores
    python tests/onnx_parity.py --arch resnet18        # one of them
    python tests/onnx_parity.py --model best.safetensors --photographs photos/      # a finished model on real photographs

For each network, with random weights, norms and statistics, whole, with a centre crop and a second resize, and `--raw`:
  * onnx's checker accepts the file with `full_check=True`;
  * onnxruntime's logits from the same pixels are within 1e-4 of kfood's, its probabilities within 1e-5, one image at a time and several;
  * classes, transform, the size of an image and the model's digest stand in its metadata.
For a finished model and a folder of photographs, the snippet of docs/models.md gives the first class of `kfood predict` for at least 99% of
them; the largest difference of a probability is told. Exits with 1 if anything differs.
"""

import argparse
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile

import numpy as np
import onnx
import onnxruntime
import torch
from PIL import Image
from safetensors.torch import save_file

from pytorch_parity import ARCHS, BOUND, CLASSES, forward, random_model, report

MEAN, STD = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]
NAMES = [f"음식 '{i}'" for i in range(CLASSES)]
# What happens between a row and the network: the side of the centre crop, the shorter side of the second resize.
GEOMETRIES = {"whole": (None, None), "crop": (65, None), "crop, larger": (61, 80), "smaller": (None, 40), "less than half": (None, 33)}
WIDTH, HEIGHT = 96, 72
# Logits of more say that a network is surer than one in half a billion.
LARGEST = 20.0


def said(arch, crop, resolution):
    """What a checkpoint of kfood says about itself."""
    digest = "00" * 32
    transform = {"pixels": {"resize": {"width": WIDTH, "height": HEIGHT, "fit": "squash"}, "filter": "bilinear", "quality": "fast"},
                 "center_crop": crop, "normalize": {"mean": MEAN, "std": STD}}
    if resolution is not None:
        transform["test_resolution"] = resolution
    return {"format": 1, "arch": arch, "classes": NAMES, "transform": transform,
            "epoch": {"epoch": 1, "of": 1, "lr": 0.1, "train": {"loss": 1.0, "top1": 0.5}, "validation": None},
            "provenance": {"pack": digest, "labels": digest, "split": digest, "fold": None, "source": None}}


def session(path):
    onnx.checker.check_model(str(path), full_check=True)
    return onnxruntime.InferenceSession(str(path))


def export(kfood, model, out, *options):
    subprocess.run([kfood, "export", str(model), str(out), *options], check=True, stdout=subprocess.DEVNULL)
    return session(out)


def predicted(kfood, model, files, *options):
    """kfood's probabilities by class, by `kfood predict`; of a file that is no usable image none."""
    ran = subprocess.run([kfood, "predict", "--model", str(model), "--json", "--top", "1000", "--device", "cpu", *options, *map(str, files)],
                         capture_output=True, text=True)
    if not ran.stdout:
        raise SystemExit(ran.stderr)
    return [{g["class"]: g["probability"] for g in p["guesses"]} for p in json.loads(ran.stdout)]


def normalised(pixels):
    return (torch.from_numpy(pixels).float() / 255 - torch.tensor(MEAN).view(3, 1, 1)) / torch.tensor(STD).view(3, 1, 1)


def check(arch, kfood, worker, folder):
    torch.manual_seed(7)
    model = random_model(arch, seed=ARCHS.index(arch))
    pixels = np.random.default_rng(3).integers(0, 256, (3, 3, HEIGHT, WIDTH), dtype=np.uint8)
    x = normalised(pixels)
    # A deep network of random weights gives logits of a hundred, whose f32 has 7e-6 between two numbers; a trained one's are small.
    with torch.no_grad():
        largest = model.eval()(x).abs().max()
        head = [layer for layer in model.modules() if isinstance(layer, torch.nn.Linear)][-1]
        for tensor in head.parameters():
            tensor.mul_(min(1.0, (LARGEST / largest).item()))
    state = {n: t.clone().contiguous() for n, t in model.state_dict().items()}
    files = [folder / f"{i}.png" for i in range(len(pixels))]
    for file, image in zip(files, pixels):
        Image.fromarray(image.transpose(1, 2, 0)).save(file)
    good = True
    for name, (crop, resolution) in GEOMETRIES.items():
        if name != "whole" and arch not in ("resnet18", "convnext_tiny"):
            continue
        file, out = folder / "model.safetensors", folder / "model.onnx"
        save_file(state, file, metadata={"format": "pt", "kfood": json.dumps(said(arch, crop, resolution))})
        found = export(kfood, file, out)
        probabilities, logits = found.run(None, {"pixels": pixels})
        each = np.concatenate([found.run(None, {"pixels": pixels[i:i + 1]})[1] for i in range(len(pixels))])
        ours = predicted(kfood, file, files)
        ours = np.array([[row[name] for name in NAMES] for row in ours])
        apart = np.abs(probabilities - ours).max()
        one = np.abs(each - logits).max()
        good &= report(apart < 1e-5 and one < BOUND, f"{arch:15} {name:15} largest difference of a probability {apart:.1e}, of a logit alone and among three {one:.1e}")

    # From floats that are normalised, and with them from pixels, to the logits of one pass of the network.
    save_file(state, file, metadata={"format": "pt", "kfood": json.dumps(said(arch, None, None))})
    wanted = forward(worker, file, x, folder / "job").numpy()
    from_pixels = export(kfood, file, out, "--batch", "3").run(["logits"], {"pixels": pixels})[0]
    raw = export(kfood, file, folder / "raw.onnx", "--raw")
    from_floats = raw.run(None, {"input": x.numpy()})
    apart = max(np.abs(from_pixels - wanted).max(), np.abs(from_floats[0] - wanted).max())
    largest = np.abs(wanted).max()
    text = f"{arch:15} logits          largest difference {apart:.1e} of logits up to {largest:.2f}"
    good &= report(apart < BOUND and len(from_floats) == 1, text)

    meta = onnxruntime.InferenceSession(str(out)).get_modelmeta().custom_metadata_map
    names = eval(meta["names"])
    kept = json.loads(meta["kfood"])["classes"] == NAMES == [names[i] for i in range(CLASSES)]
    fixed = onnxruntime.InferenceSession(str(out)).get_inputs()[0].shape == [3, 3, HEIGHT, WIDTH]
    good &= report(kept and fixed and eval(meta["imgsz"]) == [HEIGHT, WIDTH] and len(meta["kfood.model"]) == 64, f"{arch:15} metadata")
    return good


def check_calibrated(kfood, folder):
    """The temperature of a `calibrate` stage, and a transfer that was trained by kfood itself."""
    (folder / "net.toml").write_text(PIPELINE)
    for arguments in (["sample", "data"], ["run", "net.toml"]):
        subprocess.run([kfood, *arguments], cwd=folder, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    os.chdir(folder)
    found = export(kfood, "net.toml:net", folder / "net.onnx", "--calibration", "net.toml:sure")
    files = sorted(folder.glob("data/test/**/*.*"))[:20]
    ours = predicted(kfood, "net.toml:net", files, "--calibration", "net.toml:sure")
    classes = json.loads(found.get_modelmeta().custom_metadata_map["kfood"])["classes"]
    pixels = np.stack([np.asarray(Image.open(f).convert("RGB").resize((32, 32), Image.Resampling.BILINEAR)).transpose(2, 0, 1) for f in files])
    probabilities = found.run(["probabilities"], {"pixels": pixels})[0]
    apart = max(abs(row[name] - p) for row, ps in zip(ours, probabilities) for name, p in zip(classes, ps))
    return report(apart < 0.02, f"calibrated      from files      largest difference of a probability {apart:.1e}, of {len(files)} images")


PIPELINE = """
[dataset.dishes]
train = "data/train"
test = "data/test"

[split.holdout]
dataset = "dishes"

[preprocess.pixels]
dataset = "dishes"
resize = { width = 32, height = 32 }
quality = "exact"

[train.net]
data = "pixels"
split = "holdout"
arch = "resnet18"
epochs = 2
optimizer.sgd = { lr = 0.01 }

[evaluate.checked]
model = "net"
on = ["validation"]

[calibrate.sure]
from = "checked"
"""


def snippet(library="onnxruntime"):
    """The Python of docs/models.md that uses a library, by default the one that classifies a photograph."""
    docs = pathlib.Path(__file__).resolve().parent.parent / "docs" / "models.md"
    blocks = re.findall(r"```python\n(.*?)```", docs.read_text(), re.DOTALL)
    return next(block for block in blocks if f"import {library}" in block or f", {library}" in block)


def check_photographs(kfood, model, folder):
    """The snippet of the documentation against `kfood predict`, from files."""
    files = sorted(f for f in folder.rglob("*") if f.suffix.lower() in (".jpg", ".jpeg", ".png"))
    with tempfile.TemporaryDirectory() as place:
        export(kfood, model, pathlib.Path(place) / "net.onnx")
        ours = predicted(kfood, model, files)
        files, ours = zip(*[(file, row) for file, row in zip(files, ours) if row])
        here = os.getcwd()
        os.chdir(place)
        space = {}
        exec(snippet(), space)
        os.chdir(here)
        same, apart = 0, 0.0
        for file, row in zip(files, ours):
            name, probability = space["classify"](file)
            first = max(row, key=row.get)
            same += name == first
            apart = max(apart, abs(row[name] - probability))
    share = same / len(files)
    text = f"{folder.name}: the same first class for {same} of {len(files)} photographs ({100 * share:.1f}%), largest difference of a probability {apart:.4f}"
    return report(share >= 0.99, text)


def hold(description, versions, check, check_photographs, last):
    """What the command line asks for: each network and then the last check, or a finished model on photographs. Ends the program."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--worker", default="target/debug/kfood-worker", help="the program kfood-worker")
    parser.add_argument("--kfood", default="target/debug/kfood", help="the program kfood")
    parser.add_argument("--arch", choices=ARCHS, action="append", help="only this one; may be repeated")
    parser.add_argument("--model", type=pathlib.Path, help="a finished model, to be held against `kfood predict`")
    parser.add_argument("--photographs", type=pathlib.Path, action="append", default=[], help="a folder of photographs for it; may be repeated")
    arguments = parser.parse_args()
    worker, kfood = (str(pathlib.Path(p).resolve()) for p in (arguments.worker, arguments.kfood))
    print(versions)
    good = True
    if arguments.model:
        for folder in arguments.photographs:
            good &= check_photographs(kfood, arguments.model.resolve(), folder.resolve())
        sys.exit(0 if good else 1)
    for arch in arguments.arch or ARCHS:
        with tempfile.TemporaryDirectory() as folder:
            good &= check(arch, kfood, worker, pathlib.Path(folder))
    with tempfile.TemporaryDirectory() as folder:
        good &= last(kfood, pathlib.Path(folder))
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    hold(__doc__, f"onnx {onnx.__version__}, onnxruntime {onnxruntime.__version__}", check, check_photographs, check_calibrated)
