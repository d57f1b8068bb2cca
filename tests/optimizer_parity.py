"""Holds kfood's optimizers against PyTorch's and timm's.

    pip install torch==2.11.0 timm==1.0.31 numpy safetensors
    python tests/optimizer_parity.py            # does the committed fixture still say what PyTorch and timm do?
    python tests/optimizer_parity.py --write    # makes it anew

The fixture holds the gradients of 20 steps of a small network (a convolution in channels_last, a BatchNorm, a linear layer)
and, for each case, where its parameters are after those gradients. The test `twenty_steps_are_those_of_pytorch_and_timm` gives
the same gradients to kfood's optimizers. Exits with 1 if anything differs.
"""

import argparse
import json
import pathlib
import sys

import timm
import torch
from safetensors.torch import load_file, save_file
from timm.optim import Lamb

FOLDER = pathlib.Path(__file__).parent / "fixtures"
STEPS = 20
# Names as in a ResNet, for kfood chooses weight decay and learning rate by them.
PARTS = ["layer1.0.conv1", "layer1.0.bn1", "fc"]
# Of kfood's settings, those of the optimizer first. The keys are kfood's; `rule` makes PyTorch's from them.
CASES = [
    {"optimizer": {"sgd": {"lr": 0.05}}},
    {"optimizer": {"sgd": {"lr": 0.05, "momentum": 0.9, "nesterov": True, "weight_decay": 0.01}}},
    {"optimizer": {"adam": {"lr": 0.01, "weight_decay": 0.05}}},
    {"optimizer": {"adamw": {"lr": 0.01, "weight_decay": 0.05}}},
    {"optimizer": {"rmsprop": {"lr": 0.002}}},
    {"optimizer": {"rmsprop": {"lr": 0.001, "alpha": 0.9, "eps": 1e-4, "momentum": 0.9, "centered": True, "weight_decay": 0.01}}},
    {"optimizer": {"lamb": {"lr": 0.01}}},
    {"optimizer": {"lamb": {"lr": 0.02, "weight_decay": 0.0, "always_adapt": True, "trust_clip": True, "max_grad_norm": 0.0}}},
    {"optimizer": {"lamb": {"lr": 0.01, "weight_decay": 0.02}}, "norm_weight_decay": 0.0, "bias_weight_decay": 0.0, "layer_decay": 0.5},
    {"optimizer": {"sgd": {"lr": 0.05, "momentum": 0.9, "weight_decay": 0.1}}, "norm_weight_decay": 0.0, "bias_weight_decay": 0.3, "layer_decay": 0.8},
    {"optimizer": {"adamw": {"lr": 0.01, "weight_decay": 0.1}}, "norm_weight_decay": 0.3, "clip_grad_norm": 0.1},
    {"optimizer": {"sgd": {"lr": 0.05, "momentum": 0.9}}, "clip_grad_value": 0.02},
]


class Net(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = torch.nn.Conv2d(4, 6, 3, bias=False)
        self.norm = torch.nn.BatchNorm2d(6)
        self.fc = torch.nn.Linear(6, 5)

    def forward(self, x):
        return self.fc(torch.relu(self.norm(self.conv(x))).mean((2, 3)))


def parameters(net):
    """By kfood's names, in their order."""
    modules = dict(zip(PARTS, (net.conv, net.norm, net.fc)))
    return {f"{part}.{name}": p for part, module in modules.items() for name, p in module.named_parameters()}


def record():
    """First values, and the gradients of 20 steps of plain SGD on noise."""
    torch.manual_seed(3)
    net = Net().to(memory_format=torch.channels_last)
    tensors = {f"start.{n}": p.detach().clone().contiguous() for n, p in parameters(net).items()}
    for step in range(STEPS):
        x = torch.randn(8, 4, 6, 6).to(memory_format=torch.channels_last)
        net.zero_grad()
        torch.nn.functional.cross_entropy(net(x), torch.randint(5, (8,))).backward()
        tensors |= {f"grad.{step}.{n}": p.grad.contiguous() for n, p in parameters(net).items()}
        with torch.no_grad():
            for p in net.parameters():
                p -= 0.1 * p.grad
    return tensors


def groups(case, params, lr, weight_decay):
    """One group for each parameter: torchvision's rule for weight decay, timm's for the learning rate."""
    for name, p in params.items():
        decay = weight_decay
        if name.endswith(".bias") and "bias_weight_decay" in case:
            decay = case["bias_weight_decay"]
        elif ".bn" in name and "norm_weight_decay" in case:
            decay = case["norm_weight_decay"]
        # The convolution and the BatchNorm above are of `layer1`, four layers before the head.
        layers = 0 if name.startswith("fc.") else 4
        yield {"params": [p], "lr": lr * case.get("layer_decay", 1.0) ** layers, "weight_decay": decay}


def rule(case, params):
    (name, given), = case["optimizer"].items()
    given = dict(given)
    default = {"adamw": 0.01, "lamb": 0.01}.get(name, 0.0)
    lr, weight_decay = given.pop("lr"), given.pop("weight_decay", default)
    if given.get("max_grad_norm") == 0.0:
        given["max_grad_norm"] = None
    kind = {"sgd": torch.optim.SGD, "adam": torch.optim.Adam, "adamw": torch.optim.AdamW, "rmsprop": torch.optim.RMSprop,
            "lamb": Lamb}[name]
    return kind(list(groups(case, params, lr, weight_decay)), lr=lr, weight_decay=weight_decay, **given)


def run(case, recorded):
    """The parameters after all recorded gradients."""
    params = {}
    for name, tensor in recorded.items():
        if name.startswith("start."):
            # A clone keeps the strides of a permuted tensor.
            tensor = tensor.clone()
            if tensor.dim() == 4:
                tensor = tensor.to(memory_format=torch.channels_last)
            params[name.removeprefix("start.")] = tensor.requires_grad_()
    optimizer = rule(case, params)
    for step in range(STEPS):
        for name, p in params.items():
            p.grad = torch.empty_like(p).copy_(recorded[f"grad.{step}.{name}"])
        if "clip_grad_value" in case:
            torch.nn.utils.clip_grad_value_(params.values(), case["clip_grad_value"])
        if "clip_grad_norm" in case:
            torch.nn.utils.clip_grad_norm_(params.values(), case["clip_grad_norm"])
        optimizer.step()
    return {name: p.detach().contiguous() for name, p in params.items()}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true", help="make the fixture anew")
    arguments = parser.parse_args()
    print(f"torch {torch.__version__}, timm {timm.__version__}")
    tensors, cases = FOLDER / "optimizers.safetensors", FOLDER / "optimizers.json"
    if arguments.write:
        recorded = record()
        ends = {f"end.{i}.{n}": t for i, case in enumerate(CASES) for n, t in run(case, recorded).items()}
        save_file(recorded | ends, tensors)
        lines = ",\n".join("  " + json.dumps(case) for case in CASES)
        cases.write_text(f"[\n{lines}\n]\n")
        return
    held, good = load_file(tensors), json.loads(cases.read_text()) == CASES
    for i, case in enumerate(CASES):
        worst = max(
            ((end - held[f"end.{i}.{n}"]).norm() / end.norm()).item() for n, end in run(case, held).items()
        )
        good &= worst < 1e-6
        print("ok   " if worst < 1e-6 else "WRONG", json.dumps(case), f"difference {worst:.1e} of a tensor's norm")
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
