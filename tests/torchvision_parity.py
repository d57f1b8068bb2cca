"""Holds kfood's augmentations against torchvision's v2 functionals, each with fixed parameters.

    pip install torch==2.11.0 torchvision==0.26.0 numpy safetensors
    cargo build
    python tests/torchvision_parity.py                 # some seconds
    python tests/torchvision_parity.py --strengths     # prints what the tests of the policies hold

Pictures of several sizes, one smooth and one of noise, go through the worker; colours many at once with an amount for each.
  * Geometry differs from torchvision's (bilinear, no antialias) on the same floats by less than 1/255.
  * Colours differ from torchvision's on the same floats by less than 1e-5.
  * How far the result lies from torchvision's on bytes, which rounds at every step, is told beside it.
Exits with 1 if anything differs.
"""

import argparse
import json
import math
import pathlib
import subprocess
import sys
import tempfile

import torch
import torchvision
from safetensors.torch import load_file, save_file
from torchvision.transforms import InterpolationMode
from torchvision.transforms import v2
from torchvision.transforms.v2 import functional as F

LEVEL = 1 / 255
BILINEAR = InterpolationMode.BILINEAR


def pictures(height, width):
    """u8 [2, 3, height, width]: smooth waves with a hard edge, and noise."""
    y, x = torch.meshgrid(torch.arange(height) / height, torch.arange(width) / width, indexing="ij")
    waves = torch.stack([torch.sin((3 + c) * x + (5 - c) * y + c) for c in range(3)]) * 0.5 + 0.5
    waves[:, height // 3 : height // 2, width // 4 : width // 2] = 1.0
    noise = torch.rand(3, height, width, generator=torch.Generator().manual_seed(height))
    return (torch.stack([waves, noise]) * 255).round().to(torch.uint8)


def ours(worker, images, calls, device):
    """kfood's result for u8 [n, 3, height, width] and a list of calls for each image."""
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        save_file({"x": images.permute(0, 2, 3, 1).to(torch.int64).contiguous()}, folder / "input.safetensors")
        job = {"input": str(folder / "input.safetensors"), "calls": calls, "device": device, "threads": 2, "out": str(folder)}
        (folder / "job.json").write_text(json.dumps({"functionals": job}))
        # The end of its input tells a worker that its parent is gone, so the pipe stays open until it has ended.
        process = subprocess.Popen([worker, str(folder / "job.json")], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        told = process.stdout.read().decode()
        if process.wait() != 0:
            raise SystemExit(f"{worker} ended with {process.returncode}: {told}")
        return load_file(folder / "images.safetensors")["y"]


def affine(angle=0.0, translate=(0, 0), scale=1.0, shear=(0.0, 0.0), center=None):
    call = {"affine": {"angle": angle, "translate": translate, "scale": scale, "shear": shear, "center": center}}
    center = None if center is None else list(center)
    return call, lambda x: F.affine(x, angle, list(translate), scale, list(shear), BILINEAR, center=center)


def resized_crop(top, left, height, width, size):
    call = {"resized_crop": {"top": top, "left": left, "height": height, "width": width, "size": size}}
    return call, lambda x: F.resized_crop(x, top, left, height, width, list(size), BILINEAR, antialias=False)


def geometry():
    """(name, call, torchvision's)"""
    for degrees in [-135.0, -17.0, 0.0, 4.5, 30.0, 90.0, 180.0]:
        yield "rotate", {"rotate": degrees}, lambda x, d=degrees: F.rotate(x, d, BILINEAR)
    for angle in [-33.0, 12.0]:
        yield "affine, angle", *affine(angle=angle)
    for translate in [(5, -3), (-11, 0), (0, 8)]:
        yield "affine, translate", *affine(translate=translate)
    for scale in [0.6, 1.0, 1.7]:
        yield "affine, scale", *affine(scale=scale)
    for shear in [(20.0, 0.0), (0.0, -15.0), (10.0, 25.0)]:
        yield "affine, shear", *affine(shear=shear)
    yield "affine, all", *affine(-20.0, (4, 3), 1.2, (8.0, -6.0))
    yield "affine, all", *affine(75.0, (-2, 7), 0.8, (-12.0, 9.0), (3, 5))
    for magnitude in [-0.99, 0.3]:
        angle = math.degrees(math.atan(magnitude))
        yield "policy, shear_x", *affine(shear=(angle, 0.0), center=(0, 0))
        yield "policy, shear_y", *affine(shear=(0.0, angle), center=(0, 0))
    yield "horizontal_flip", "horizontal_flip", F.horizontal_flip
    yield "vertical_flip", "vertical_flip", F.vertical_flip
    for size in [(20, 20), (31, 17)]:
        yield "center_crop", {"center_crop": size}, lambda x, size=size: F.center_crop(x, list(size))
    # Not below half size, from where on kfood takes several samples a pixel.
    yield "resized_crop", *resized_crop(3, 5, 20, 24, (32, 32))
    yield "resized_crop", *resized_crop(0, 0, 30, 28, (20, 20))
    yield "resized_crop", *resized_crop(10, 7, 13, 19, (13, 19))


def by(name, kernel, *amounts):
    return name, [({name: amount}, lambda x, a=amount: kernel(x, a)) for amount in amounts]


def alone(name, kernel):
    return name, [(name, kernel)]


def blur(kernel_size, *sigmas):
    call = lambda sigma: {"gaussian_blur": {"kernel_size": kernel_size, "sigma": sigma}}
    theirs = lambda x, sigma: F.gaussian_blur(x, [kernel_size, kernel_size], [sigma, sigma])
    return f"gaussian_blur {kernel_size}", [(call(s), lambda x, s=s: theirs(x, s)) for s in sigmas]


def colors():
    """(name, [(call, torchvision's)])"""
    yield by("adjust_brightness", F.adjust_brightness, 0.0, 0.1, 0.6, 1.0, 1.4, 1.99)
    yield by("adjust_contrast", F.adjust_contrast, 0.0, 0.1, 0.6, 1.0, 1.4, 1.99)
    yield by("adjust_saturation", F.adjust_saturation, 0.0, 0.1, 0.6, 1.0, 1.4, 1.99)
    yield by("adjust_hue", F.adjust_hue, -0.5, -0.2, 0.0, 0.01, 0.1, 0.5)
    yield by("adjust_sharpness", F.adjust_sharpness, 0.0, 0.01, 0.6, 1.0, 1.9, 4.0)
    yield by("posterize", F.posterize, 1, 2, 3, 4, 5, 6, 7, 8)
    yield "solarize", [({"solarize": t}, lambda x, t=t: F.solarize(x, t if x.is_floating_point() else 255 * t))
                       for t in [0.0, 0.3, 0.5, 0.9, 1.0]]
    yield alone("autocontrast", F.autocontrast)
    yield alone("equalize", F.equalize)
    yield alone("invert", F.invert)
    yield alone("rgb_to_grayscale", lambda x: F.rgb_to_grayscale(x, 3))
    yield blur(3, 0.1, 0.5, 2.0)
    yield blur(23, 0.1, 1.0, 2.0, 5.0)


class Report:
    def __init__(self):
        self.rows = {}

    def add(self, name, bound, difference, of_bytes=None):
        worst, bytes_, n, _ = self.rows.get(name, (0.0, 0.0, 0, bound))
        self.rows[name] = max(worst, difference), max(bytes_, of_bytes or 0.0), n + 1, bound

    def show(self):
        good = True
        for name, (worst, bytes_, n, bound) in self.rows.items():
            good &= worst < bound
            of_bytes = f"{bytes_ * 255:6.2f} levels from torchvision's on bytes" if bytes_ else ""
            print("ok   " if worst < bound else "WRONG", f"{name:20} n = {n:3}  largest difference {worst:.1e}", of_bytes)
        return good


def largest(found, wanted):
    if found.shape != wanted.shape:
        raise SystemExit(f"sizes differ: {tuple(found.shape)} and {tuple(wanted.shape)}")
    return (found - wanted).abs().max().item()


def check(worker, device):
    report = Report()
    for size in [(40, 40), (37, 54)]:
        images = pictures(*size)
        floats = images / 255.0
        for name, call, theirs in geometry():
            found = ours(worker, images, [[call]] * len(images), device)
            report.add(name, LEVEL, largest(found, theirs(floats)))
    images = torch.cat([pictures(64, 48), (pictures(64, 48) // 3 + 60)])
    flat = torch.full((1, 3, 64, 48), 7, dtype=torch.uint8)
    images = torch.cat([images, flat, flat * 36])
    floats = images / 255.0
    every = []
    for name, both in colors():
        pairs = [(i, call, theirs) for i in range(len(images)) for call, theirs in both]
        found = ours(worker, images[[i for i, _, _ in pairs]], [[call] for _, call, _ in pairs], device)
        for (i, _, theirs), y in zip(pairs, found):
            of_bytes = largest(y, theirs(images[i]) / 255.0)
            report.add(name, 1e-5, largest(y, theirs(floats[i])), of_bytes)
        every += pairs
    # One behind the other, in another order for each image.
    lists = [[every[(31 * i + 17 * k) % len(every)] for k in range(3)] for i in range(24)]
    # Where an equalisation or a threshold follows, a last bit decides between levels: such lists are compared in the mean.
    found = ours(worker, images[:1].expand(24, -1, -1, -1).contiguous(), [[c for _, c, _ in l] for l in lists], device)
    for functions, y in zip(lists, found):
        wanted = floats[0]
        for _, _, theirs in functions:
            wanted = theirs(wanted)
        report.add("three in a row, mean", 1e-3, (y - wanted).abs().mean().item())
    return report.show()


def strengths():
    for policy, bins in [(v2.RandAugment, 31), (v2.TrivialAugmentWide, 31), (v2.AutoAugment, 10)]:
        for name, (scale, _) in policy._AUGMENTATION_SPACE.items():
            magnitudes = scale(bins, 200, 224)
            if magnitudes is not None:
                whole = name.startswith("Translate") or name == "Posterize"
                print(policy.__name__, name, [int(m) if whole else round(float(m), 6) for m in magnitudes])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--worker", default="target/debug/kfood-worker", help="the program kfood-worker")
    parser.add_argument("--device", default="cpu", help="where kfood computes: cpu or cuda:N")
    parser.add_argument("--strengths", action="store_true", help="print torchvision's scales of strengths")
    arguments = parser.parse_args()
    print(f"torch {torch.__version__}, torchvision {torchvision.__version__}")
    if arguments.strengths:
        return strengths()
    sys.exit(0 if check(str(pathlib.Path(arguments.worker).resolve()), arguments.device) else 1)


if __name__ == "__main__":
    main()
