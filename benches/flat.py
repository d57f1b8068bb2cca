"""What flat parameters and gradients would gain: one buffer with views, against lists of tensors. See benches/README.md.

    python benches/flat.py [--device cuda:0]

Both ways are libtorch's own kernels, so PyTorch measures what kfood's shim calls.
"""

import argparse
import statistics
import time
from pathlib import Path

import torch
import torchvision

from peers import machine
from peers.training import tune_allocator


def main() -> None:
    options = arguments()
    tune_allocator()
    for key, value in machine.describe(options.kfood.resolve()).items():
        print(f"- {key}: {value}")
    print(f"- {options.steps} steps of each way in a round, medians (smallest to largest) of {options.rounds} interleaved rounds\n")
    print("| network | optimizer | ms a step, lists | ms a step, flat | flat is |")
    print("|---|---|---|---|---|")
    for arch in options.arch or ["resnet18", "resnet50", "resnet101"]:
        for optimizer in ("sgd", "adamw"):
            row(options, arch, optimizer)


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kfood", type=Path, default=Path("target/release/kfood"))
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--arch", action="append", help="resnet18, resnet50 and resnet101 else")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--steps", type=int, default=20)
    return parser.parse_args()


def row(options, arch: str, optimizer: str) -> None:
    shapes = [p.shape for p in getattr(torchvision.models, arch)(num_classes=42).parameters()]
    ways = [Lists(shapes, optimizer, options.device), Flat(shapes, optimizer, options.device)]
    seconds = [[], []]
    for _ in range(options.rounds):
        for way, spent in zip(ways, seconds, strict=True):
            spent.append(way.seconds(options.steps))
    lists, flat = ([1000 * s for s in each] for each in seconds)
    ratio = statistics.median(a / b for a, b in zip(lists, flat, strict=True))
    print(f"| {arch} | {optimizer} | {spread(lists)} | {spread(flat)} | {ratio:.2f}x |", flush=True)


def spread(ms) -> str:
    return f"{statistics.median(ms):.2f} ({min(ms):.2f}-{max(ms):.2f})"


class Way:
    """All of a step but the network: gradients arrive as autograd makes them, then the fused optimizer, then they are forgotten."""

    def __init__(self, shapes, optimizer: str, device: str):
        self.device = torch.device(device)
        self.weights = [torch.randn(shape, device=self.device) for shape in shapes]
        self.params = self.parameters()
        make = {"sgd": lambda p: torch.optim.SGD(p, lr=1e-9, momentum=0.9, fused=True), "adamw": lambda p: torch.optim.AdamW(p, lr=1e-9, fused=True)}
        self.optimizer = make[optimizer](self.updated())
        # A backward pass leaves a new tensor for each parameter: autograd's last node takes it as the gradient, or adds it to what is there.
        self.seconds(3)

    def seconds(self, steps: int) -> float:
        total = 0.0
        for _ in range(steps):
            # The product of the parameters with constants has those constants as its gradient, made in the backward pass.
            loss = sum((p * 1e-3).sum() for p in self.params)
            self.wait()
            start = time.perf_counter()
            loss.backward()
            self.optimizer.step()
            self.forget()
            self.wait()
            total += time.perf_counter() - start
        return total / steps

    def wait(self) -> None:
        if self.device.type == "cuda":
            torch.cuda.synchronize()


class Lists(Way):
    """What kfood does: a tensor for each parameter, gradients taken over from autograd, one call over all of them."""

    def parameters(self):
        return [w.requires_grad_() for w in self.weights]

    def updated(self):
        return self.params

    def forget(self) -> None:
        for p in self.params:
            p.grad = None


class Flat(Way):
    """One buffer of parameters and one of gradients; autograd adds into views of the second, which is zeroed at once."""

    def parameters(self):
        sizes = [w.numel() for w in self.weights]
        self.flat = torch.cat([w.flatten() for w in self.weights])
        self.flat.grad = torch.zeros_like(self.flat)
        params = [piece.view(w.shape).detach().requires_grad_() for piece, w in zip(self.flat.split(sizes), self.weights, strict=True)]
        for p, grad in zip(params, self.flat.grad.split(sizes), strict=True):
            p.grad = grad.view(p.shape)
        return params

    def updated(self):
        return [self.flat.requires_grad_()]

    def forget(self) -> None:
        self.flat.grad.zero_()


if __name__ == "__main__":
    main()
