"""Holds what speaks for a guess (`kfood report --cam`) against the package `grad-cam` on torchvision's networks.

    pip install torch==2.11.0 torchvision==0.26.0 numpy safetensors grad-cam==1.5.7
    cargo build --release
    python tests/cam_parity.py

A network of each family is trained for an epoch on generated photographs. `kfood-worker` looks at some of them, each for two classes; torchvision's network
gets the weights and `GradCAM` looks at its last feature maps. Both are equal up to a factor for each image, after the rectifier: the largest
difference of the maps, each over its own largest value, is below 1e-4. Exits with 1 if it is not.
"""

import argparse
import json
import pathlib
import sys
import tempfile

import numpy as np
import torch
import torchvision
from pytorch_grad_cam import GradCAM
from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget
from safetensors.torch import load_file

import kfood_steps

# Each with the last parameter of its head, and the module whose output are its last feature maps.
NETWORKS = {
    "resnet18": ("fc.bias", lambda model: model.layer4[-1]),
    "convnext_tiny": ("classifier.2.bias", lambda model: model.features[-1][-1]),
    "efficientnet_b0": ("classifier.1.bias", lambda model: model.features[-1]),
}
IMAGES = 8
SIDE = 96
PIPELINE = """
seed = 3
[dataset.dishes]
train = "photographs/train"
test = "photographs/test"
[split.holdout]
dataset = "dishes"
validation = 0.2
[preprocess.pixels]
dataset = "dishes"
resize = { width = SIDE, height = SIDE }
[train.net]
data = "pixels"
split = "holdout"
matrix.arch = ARCHS
epochs = 1
batch_size = 8
optimizer.adamw = { lr = 0.001 }
normalize = "imagenet"
"""


def evaluation(project, arch, out):
    """The evaluation of a network, as a job says it."""
    net = f"net[arch={arch}]"
    return {
        "data": project.data(), "images": project.output("dishes", "images.json"), "look_alikes": project.output("pixels", "look_alikes.json"),
        "pixels": project.explained(net)["settings"]["pixels"], "model": {"path": project.output(net, "best.safetensors"), "normalize": None},
        "on": ["test"], "batch_size": 3, "device": "cpu", "threads": 2, "out": str(out),
    }


def rows(pack, count):
    """The first rows of a pack (format 2: a header of 4096 bytes, then for each image 56 bytes with the row's offset at 40) as u8 [count, height,
    width, 3]."""
    raw = np.fromfile(pack, np.uint8)
    at = [int.from_bytes(raw[4096 + 56 * i + 40 : 4096 + 56 * i + 48].tobytes(), "little") for i in range(count)]
    return np.stack([raw[offset : offset + SIDE * SIDE * 3].reshape(SIDE, SIDE, 3) for offset in at])


def ours(worker, job):
    out = pathlib.Path(job["evaluate"]["out"])
    out.mkdir()
    kfood_steps.work(worker, out, {"attend": job})
    found = json.loads((out / "attention.json").read_text())
    return np.array(found["maps"]).reshape(-1, found["height"], found["width"])


def theirs(arch, weights, images, classes):
    bias, layer = NETWORKS[arch]
    state = load_file(weights)
    model = torchvision.models.get_model(arch, weights=None, num_classes=len(state[bias]))
    model.load_state_dict(state, strict=False)
    model.eval()
    cam = GradCAM(model=model, target_layers=[layer(model)])
    cam(input_tensor=images, targets=[ClassifierOutputTarget(c) for c in classes])
    # Before the package scales and resizes them.
    activations = cam.activations_and_grads.activations[0].detach().numpy()
    slopes = cam.activations_and_grads.gradients[0].detach().numpy()
    weights = cam.get_cam_weights(images, None, None, activations, slopes)
    return np.maximum((weights[:, :, None, None] * activations).sum(1), 0)


def scaled(maps):
    return maps / np.maximum(maps.max((1, 2), keepdims=True), 1e-12)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--kfood", default="target/release/kfood")
    parser.add_argument("--worker", default="target/release/kfood-worker")
    args = parser.parse_args()
    kfood, worker = (str(pathlib.Path(p).resolve()) for p in (args.kfood, args.worker))
    worst = 0.0
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        project = kfood_steps.Generated(kfood, folder, PIPELINE.replace("ARCHS", json.dumps(list(NETWORKS))).replace("SIDE", str(SIDE)))
        for arch in NETWORKS:
            job = evaluation(project, arch, folder / arch)
            asked = [(row, c) for row in range(IMAGES) for c in (0, 1)]
            maps = ours(worker, {"evaluate": job, "images": asked})
            pixels = rows(job["data"]["pack"], IMAGES)
            mean, std = (torch.tensor(v).view(1, 3, 1, 1) for v in ([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]))
            images = (torch.from_numpy(pixels).permute(0, 3, 1, 2).float() / 255 - mean) / std
            right = theirs(arch, job["model"]["path"], images[[row for row, _ in asked]], [c for _, c in asked])
            apart = np.abs(scaled(maps) - scaled(right)).max()
            empty = int((right.max((1, 2)) == 0).sum())
            print(f"{arch}: {len(asked)} maps of {maps.shape[1]} x {maps.shape[2]}, {empty} of them empty, largest difference {apart:.1e}")
            worst = max(worst, apart)
    sys.exit(0 if worst < 1e-4 else 1)


if __name__ == "__main__":
    main()
