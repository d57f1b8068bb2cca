"""What flat parameters and gradients gain: one buffer with views, against lists of tensors. See benches/README.md.

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
    print(f"- {options.steps} steps of each way in a round, medians (smallest to largest) of {options.rounds} interleaved rounds of ms a step\n")
    print("| network | optimizer | precision | lists | flat, added to | flat, as kfood | kfood takes |")
    print("|---|---|---|---|---|---|---|")
    for arch in options.arch or ["resnet18", "resnet50", "resnet101"]:
        for optimizer in ("sgd", "adamw"):
            for bf16 in (True, False):
                row(options, arch, optimizer, bf16)


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kfood", type=Path, default=Path("target/release/kfood"))
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--arch", action="append", help="resnet18, resnet50 and resnet101 else")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--steps", type=int, default=20)
    return parser.parse_args()


def row(options, arch: str, optimizer: str, bf16: bool) -> None:
    shapes = [p.shape for p in getattr(torchvision.models, arch)(num_classes=42).parameters()]
    ways = [way(shapes, optimizer, bf16, options.device) for way in (Lists, Added, Collected)]
    ms = [[] for _ in ways]
    for _ in range(options.rounds):
        for way, spent in zip(ways, ms, strict=True):
            spent.append(1000 * way.seconds(options.steps))
    ratio = statistics.median(kfood / lists for lists, _, kfood in zip(*ms, strict=True))
    print(f"| {arch} | {optimizer} | {'bf16' if bf16 else 'f32'} | {' | '.join(map(spread, ms))} | {ratio:.2f}x of lists |", flush=True)


def spread(ms) -> str:
    return f"{statistics.median(ms):.2f} ({min(ms):.2f}-{max(ms):.2f})"


class Way:
    """All of a step but the network: in bf16 the weights are converted before it, and their gradients behind it; gradients arrive
    as autograd leaves them, then comes the fused optimizer, then they are forgotten."""

    def __init__(self, shapes, optimizer: str, bf16: bool, device: str):
        self.device, self.bf16 = torch.device(device), bf16
        weights = [torch.randn(shape, device=self.device) for shape in shapes]
        make = {"sgd": lambda p: torch.optim.SGD(p, lr=1e-9, momentum=0.9, fused=True), "adamw": lambda p: torch.optim.AdamW(p, lr=1e-9, fused=True)}
        self.optimizer = make[optimizer](self.parameters(weights))
        self.seconds(3)

    def seconds(self, steps: int) -> float:
        total = 0.0
        for _ in range(steps):
            self.wait()
            start = time.perf_counter()
            used = self.used()
            total += time.perf_counter() - start
            # The product of a weight with a constant has that constant as its gradient, made in the backward pass.
            loss = sum((p * 1e-3).sum(dtype=torch.float32) for p in used)
            self.wait()
            start = time.perf_counter()
            loss.backward()
            self.update()
            self.wait()
            total += time.perf_counter() - start
        return total / steps

    def converts(self, weight) -> bool:
        """Those of convolutions and head: what else there is has one dimension (the head's bias counts for nothing here)."""
        return self.bf16 and weight.dim() > 1

    def wait(self) -> None:
        if self.device.type == "cuda":
            torch.cuda.synchronize()


class Lists(Way):
    """What PyTorch does: a tensor for each parameter, converted by autocast, gradients taken over, one call over all of them."""

    def parameters(self, weights):
        self.params = [w.requires_grad_() for w in weights]
        return self.params

    def used(self):
        return [p.to(torch.bfloat16) if self.converts(p) else p for p in self.params]

    def update(self) -> None:
        self.optimizer.step()
        for p in self.params:
            p.grad = None


class Added(Lists):
    """One buffer of parameters and one of gradients; autograd adds into views of the second, which is zeroed at once."""

    def parameters(self, weights):
        self.flat = torch.cat([w.flatten() for w in weights])
        self.flat.grad = torch.zeros_like(self.flat)
        self.params = [v.detach().requires_grad_() for v in views(self.flat, weights)]
        for p, grad in zip(self.params, views(self.flat.grad, weights), strict=True):
            p.grad = grad
        return [self.flat.requires_grad_()]

    def update(self) -> None:
        self.optimizer.step()
        self.flat.grad.zero_()


class Collected(Way):
    """What kfood does: one buffer of parameters, converted at once; gradients are taken over and collected in another."""

    def parameters(self, weights):
        self.flat, self.weights = torch.cat([w.flatten() for w in weights]), weights
        self.halves = self.flat.to(torch.bfloat16)
        pairs = zip(views(self.flat, weights), views(self.halves, weights), strict=True)
        self.leaves = [(half if self.converts(full) else full).detach().requires_grad_() for full, half in pairs]
        return [self.flat.requires_grad_()]

    def used(self):
        if self.bf16:
            with torch.no_grad():
                self.halves.copy_(self.flat)
        return self.leaves

    def update(self) -> None:
        self.flat.grad = torch.empty_like(self.flat)
        torch._foreach_copy_(views(self.flat.grad, self.weights), [p.grad for p in self.leaves])
        for p in self.leaves:
            p.grad = None
        self.optimizer.step()
        self.flat.grad = None


def views(flat, weights):
    pieces = flat.detach().split([w.numel() for w in weights])
    return [piece.view(w.shape) for piece, w in zip(pieces, weights, strict=True)]


if __name__ == "__main__":
    main()
