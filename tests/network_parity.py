"""Holds 20 steps of kfood's networks against the same steps in PyTorch, in f32 on a CPU, with and without what a step drops.

    pip install torch==2.11.0 torchvision==0.26.0 numpy safetensors
    cargo build --release
    python tests/network_parity.py

For each network a training of generated photographs (AdamW, norms without weight decay) is stepped by `kfood-worker`, which writes its first
weights, each batch as its network sees it, what it drops of each image, and each loss. torchvision's network gets the same weights, batches
and, in place of its own draws, the same factors; once with `stochastic_depth` and `dropout` at 0, once at their defaults.

  * The loss of the first step is PyTorch's to 1e-6. Losses are PyTorch's to 1e-6 of the loss, and the weights after the last step to 1e-6 of their
    norm, as in `recipe_parity.py`, which says what such bounds mean. (Seen: 0 for all, AMD EPYC with AVX-512.) On processors where libtorch
    sums in another order for kfood's weights than for PyTorch's, an EfficientNet makes much of the last digit, for AdamW scales the smallest
    gradients up: there the bound is twice the distance between two runs of PyTorch itself, one with its tensors in channels_last order, one not.
  * Which parameters decay is torchvision's `set_weight_decay`'s choice: every norm is one, a layer scale is none.
  * First values have torchvision's distribution: mean and spread of each tensor.
Exits with 1 if anything differs.
"""

import argparse
import json
import pathlib
import sys
import tempfile

import torch
import torchvision
from safetensors.torch import load_file
from torchvision.ops import StochasticDepth

import kfood_steps
from kfood_steps import apart, distance, ours

# Each with the last parameter of its head.
NETWORKS = {"resnet18": "fc.bias", "convnext_tiny": "classifier.2.bias", "efficientnet_b0": "classifier.1.bias"}
STEPS = 20
BOUND = 1e-6
NORMS = (torch.nn.BatchNorm2d, torch.nn.LayerNorm)
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
resize = { width = 64, height = 64 }
[train.net]
data = "pixels"
split = "holdout"
matrix.arch = ARCHS
epochs = 1
batch_size = 6
optimizer.adamw = { lr = 0.001, weight_decay = 0.05 }
norm_weight_decay = 0.0
normalize = "imagenet"
precision = "f32"
"""


class Project(kfood_steps.Generated):
    """The trainings of the networks, on generated photographs."""

    def __init__(self, kfood, folder):
        super().__init__(kfood, folder, PIPELINE.replace("ARCHS", json.dumps(list(NETWORKS))), "pixels", "holdout")

    def job(self, arch, out, drops):
        settings = self.explained(f"net[arch={arch}]")["settings"]
        of_network = ("arch", "zero_init_residual", "stochastic_depth", "dropout")
        network = {name: settings[name] for name in of_network if name in settings}
        if not drops:
            network |= {name: 0.0 for name in ("stochastic_depth", "dropout") if name in network}
        return {
            "data": self.data(), "pixels": settings["pixels"], "training": settings["training"], "start": {"scratch": network}, "device": "cpu",
            "threads": 2, "out": str(out), "state": str(out / "state"),
        }


class Given(torch.nn.Module):
    """Multiplies by what it was given instead of by what it draws."""

    factors = None

    def forward(self, x):
        return x if self.factors is None else x * self.factors.to(x.dtype).view(-1, *[1] * (x.dim() - self.factors.dim()), *self.factors.shape[1:])


def with_given(model):
    """torchvision's network with its drawing modules replaced: those of branches in their order, and that before the head."""
    branches, elements = [], []
    for module in model.modules():
        for name, child in module.named_children():
            kind = branches if isinstance(child, StochasticDepth) else elements if isinstance(child, torch.nn.Dropout) else None
            if kind is not None:
                kind.append(Given())
                setattr(module, name, kind[-1])
    return branches, elements


def theirs(fit, arch, order=torch.channels_last):
    torch.set_num_threads(fit["threads"])
    out = pathlib.Path(fit["out"])
    start = load_file(out / "start.safetensors")
    model = torchvision.models.get_model(arch, weights=None, num_classes=len(start[NETWORKS[arch]]))
    branches, elements = with_given(model)
    model.load_state_dict(start, strict=True)
    model = model.to(memory_format=order).train()
    groups = torchvision_groups(model, fit["training"]["optimizer"]["adamw"]["weight_decay"])
    optimizer = torch.optim.AdamW(groups, lr=fit["training"]["optimizer"]["adamw"]["lr"], fused=True)
    losses = []
    for step in range(1, STEPS + 1):
        batch = load_file(out / f"batch-{step}.safetensors")
        for i, branch in enumerate(branches):
            branch.factors = batch["stochastic_depth"][:, i] if "stochastic_depth" in batch else None
        for element in elements:
            element.factors = batch.get("dropout")
        loss = torch.nn.functional.cross_entropy(model(batch["images"].contiguous(memory_format=order)), batch["classes"])
        losses.append(loss.item())
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
    return losses, model.state_dict()


def torchvision_groups(model, decay):
    """As `set_weight_decay` of torchvision's references with a `norm_weight_decay` of 0."""
    norms = {id(p) for m in model.modules() if isinstance(m, NORMS) for p in m.parameters(recurse=False)}
    parameters = list(model.parameters())
    return [{"params": [p for p in parameters if id(p) not in norms], "weight_decay": decay},
            {"params": [p for p in parameters if id(p) in norms], "weight_decay": 0.0}]


def check_start(arch, out):
    """The first values of every tensor against those of torchvision's own network: spread and mean, as far as their number allows."""
    start = load_file(out / "start.safetensors")
    torch.manual_seed(0)
    model = torchvision.models.get_model(arch, weights=None, num_classes=len(start[NETWORKS[arch]]))
    wrong = []
    for name, theirs in model.state_dict().items():
        ours, n = start[name], theirs.numel()
        if not theirs.is_floating_point() or n < 256:
            continue
        std = theirs.std().item()
        if std == 0:
            right = torch.equal(ours, theirs)
        else:
            # Six standard errors of a spread and of a mean.
            right = abs(ours.std().item() / std - 1) < 6 / n**0.5 and abs((ours.mean() - theirs.mean()).item()) < 6 * std * (2 / n) ** 0.5
        if not right:
            wrong.append(name)
    text = "first values distributed as torchvision's" if not wrong else f"first values of {wrong[:3]} are of another distribution"
    print("ok   " if not wrong else "WRONG", f"{arch:15} {text}", flush=True)
    return not wrong


def check(project, worker, arch, drops):
    out = project.folder / f"{arch}-{drops}"
    fit = project.job(arch, out, drops)
    steps, kfood_end = ours(worker, fit, STEPS)
    losses, end = theirs(fit, arch)
    dropped = load_file(out / "batch-1.safetensors")
    handed = {"stochastic_depth", "dropout"} & dropped.keys()
    wanted = {"stochastic_depth", "dropout"} & fit["start"]["scratch"].keys() if drops else set()
    ours_losses = [step["loss"] for step in steps]
    most, far = max(map(apart, ours_losses, losses)), distance(kfood_end, end)
    bounds, by = (BOUND, BOUND), ""
    if most >= BOUND or far >= BOUND:
        other_losses, other_end = theirs(fit, arch, torch.contiguous_format)
        bounds = 2 * max(map(apart, other_losses, losses)), 2 * distance(other_end, end)
        by = f" (PyTorch in two orders: half of {bounds[0]:.1e} and {bounds[1]:.1e})"
    first = apart(ours_losses[0], losses[0]) < BOUND
    good = first and most < bounds[0] and far < bounds[1] and handed == wanted and len(set(losses)) == STEPS
    what = f"with {' and '.join(sorted(handed))} handed in" if handed else "nothing dropped"
    text = f"{arch:15} {STEPS} steps, {what}: losses to {most:.1e}, weights to {far:.1e} of their norm{by}"
    print("ok   " if good else "WRONG", text, flush=True)
    return good


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kfood", default="target/release/kfood", help="the program kfood")
    parser.add_argument("--worker", default="target/release/kfood-worker", help="the program kfood-worker")
    arguments = parser.parse_args()
    kfood, worker = (str(pathlib.Path(program).resolve()) for program in (arguments.kfood, arguments.worker))
    print(f"torch {torch.__version__}, torchvision {torchvision.__version__}")
    good = True
    with tempfile.TemporaryDirectory() as folder:
        project = Project(kfood, pathlib.Path(folder))
        for arch in NETWORKS:
            good &= check(project, worker, arch, False)
            good &= check_start(arch, project.folder / f"{arch}-False")
            if arch != "resnet18":
                good &= check(project, worker, arch, True)
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
