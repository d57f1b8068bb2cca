"""Holds kfood's folders for timm, and what it reads of timm's files, against timm itself.

    pip install torch==2.11.0 torchvision==0.26.0 timm==1.0.31 numpy safetensors pillow
    cargo build
    python tests/timm_parity.py                        # all networks: a minute on two cores
    python tests/timm_parity.py --model best.safetensors --photographs photos/      # a finished model on real photographs

For each network, with random weights, norms and statistics:
  * the Python of docs/models.md reads the folder that `kfood export --format timm` writes: names, classes, and logits within 1e-4 of
    kfood's;
  * kfood reads a state dict of timm's with timm's names: within 1e-4 of timm's logits, and torchvision's names when exported;
  * a network of timm's that has more layers than kfood's is refused.
For a finished model and a folder of photographs, timm's own transform gives the first class of `kfood predict` for at least 99% of them.
Exits with 1 if anything differs.
"""

import json
import os
import pathlib
import subprocess
import tempfile

import timm
import torch
import torchvision
from PIL import Image, ImageOps
from safetensors.torch import load_file, save_file

from onnx_parity import HEIGHT, MEAN, NAMES, WIDTH, hold, predicted, said, snippet
from pytorch_parity import ARCHS, BOUND, CLASSES, forward, random_model, report


def loaded(kfood, model, folder):
    """The network and the transform that the Python of docs/models.md makes of a model, which is exported as `food` there."""
    subprocess.run([kfood, "export", str(model), str(folder / "food"), "--format", "timm"], check=True, stdout=subprocess.DEVNULL)
    space, here = {}, os.getcwd()
    os.chdir(folder)
    try:
        exec(snippet("timm"), space)
    finally:
        os.chdir(here)
    return space["model"], space["transform"]


def check(arch, kfood, worker, folder):
    model, x = random_model(arch, seed=ARCHS.index(arch)), torch.randn(2, 3, 64, 64)
    state = {n: t.clone().contiguous() for n, t in model.state_dict().items()}
    save_file(state, folder / "model.safetensors", metadata={"kfood": json.dumps(said(arch, 56, None))})
    ours = forward(worker, folder / "model.safetensors", x, folder / "job")
    theirs, _ = loaded(kfood, folder / "model.safetensors", folder)
    with torch.no_grad():
        apart = (theirs(x) - ours).abs().max().item()
    known = theirs.pretrained_cfg
    config = timm.data.resolve_data_config({}, model=theirs)
    kept = list(known["label_names"]) == NAMES and tuple(config["input_size"]) == (3, 56, 56) and config["crop_mode"] == "squash" and list(config["mean"]) == MEAN
    # What is resized to both sides and not cropped is seen as a whole.
    save_file(state, folder / "whole.safetensors", metadata={"kfood": json.dumps(said(arch, None, None))})
    (folder / "whole").mkdir(exist_ok=True)
    whole, _ = loaded(kfood, folder / "whole.safetensors", folder / "whole")
    whole = timm.data.resolve_data_config({}, model=whole)
    kept &= whole["crop_pct"] == 1 and whole["crop_mode"] == "squash" and tuple(whole["input_size"]) == (3, HEIGHT, WIDTH)
    good = report(apart < BOUND and kept, f"{arch:15} to timm         largest difference {apart:.1e}")

    torch.manual_seed(5)
    theirs = timm.create_model(arch, num_classes=CLASSES)
    for name, tensor in theirs.state_dict().items():
        if tensor.dim() == 1:
            tensor.copy_(0.9 * tensor + 0.02 * torch.randn_like(tensor).abs())
    theirs.eval()
    torch.save({"state_dict": {f"model.{n}": t for n, t in theirs.state_dict().items()}}, folder / "theirs.pt")
    with torch.no_grad():
        apart = (forward(worker, folder / "theirs.pt", x, folder / "job") - theirs(x)).abs().max().item()
    subprocess.run([kfood, "export", str(folder / "theirs.pt"), str(folder / "ours.safetensors")], check=True, capture_output=True)
    getattr(torchvision.models, arch)(num_classes=CLASSES).load_state_dict(load_file(folder / "ours.safetensors"), strict=True)
    return good & report(apart < BOUND, f"{arch:15} from timm       largest difference {apart:.1e}, torchvision's names when exported")


def check_refused(kfood, folder):
    good = True
    for name in ("convnext_small", "efficientnet_b1"):
        torch.save(timm.create_model(name, num_classes=3).state_dict(), folder / "other.pt")
        ran = subprocess.run([kfood, "export", str(folder / "other.pt"), str(folder / "never.pt")], capture_output=True, text=True)
        told = ran.returncode == 1 and "is none of the known architectures" in ran.stderr
        good &= report(told, f"{name:15} refused: {ran.stderr.splitlines()[:1]}")
    return good


def check_photographs(kfood, model, folder):
    files = sorted(f for f in folder.rglob("*") if f.suffix.lower() in (".jpg", ".jpeg", ".png"))
    ours = predicted(kfood, model, files)
    files, ours = zip(*[(file, row) for file, row in zip(files, ours) if row])
    with tempfile.TemporaryDirectory() as out:
        theirs, transform = loaded(kfood, model, pathlib.Path(out))
    names, same, apart = theirs.pretrained_cfg["label_names"], 0, 0.0
    for file, row in zip(files, ours):
        with torch.no_grad():
            found = theirs(transform(ImageOps.exif_transpose(Image.open(file)).convert("RGB"))[None]).softmax(1)[0]
        name = names[found.argmax()]
        same += name == max(row, key=row.get)
        apart = max(apart, abs(row[name] - found.max().item()))
    share = same / len(files)
    text = f"{folder.name}: timm's first class is kfood's for {same} of {len(files)} photographs ({100 * share:.1f}%), largest difference of a probability {apart:.4f}"
    return report(share >= 0.99, text)


if __name__ == "__main__":
    hold(__doc__, f"timm {timm.__version__}, torch {torch.__version__}", check, check_photographs, check_refused)
