"""One way of training in PyTorch, in a process of its own: `python -m peers.training '{"mode": …}'`, then a number of steps a line."""

import ctypes
import json
import os
import resource
import sys
import time
from pathlib import Path

# As a person writes it first; then everything that is known to help without own kernels; then the compiler on top.
MODES = {
    "eager": "PyTorch, eager f32 contiguous",
    "best": "PyTorch, eager {fast} channels_last",
    "jemalloc": "PyTorch, eager {fast} channels_last",
    "compiled": "PyTorch, torch.compile, {fast} channels_last",
}
CLASSES = 42
WARM_UP = 3


def tune_allocator() -> None:
    """Lets glibc keep freed memory for the next step."""
    trim, top_pad, threshold = -1, -2, -3
    libc = ctypes.CDLL(None)
    libc.mallopt(threshold, 1 << 30) or libc.mallopt(threshold, 32 << 20)
    libc.mallopt(trim, 2**31 - 1)
    libc.mallopt(top_pad, 64 << 20)


class Training:
    """Steps of cross entropy and SGD with momentum on one resident batch of random images."""

    def __init__(self, mode: str, arch: str, batch: int, side: int, device: str, fast: str):
        import torch
        import torchvision

        self.torch, self.device, self.batch = torch, torch.device(device), batch
        self.fast = mode != "eager"
        self.bf16 = self.fast and fast == "bf16"
        torch.manual_seed(1)
        torch.backends.cudnn.benchmark = True
        self.model = getattr(torchvision.models, arch)(num_classes=CLASSES).to(self.device).train()
        self.images = torch.randn(batch, 3, side, side, device=self.device)
        self.targets = torch.randint(0, CLASSES, (batch,), device=self.device)
        if self.fast:
            self.model = self.model.to(memory_format=torch.channels_last)
            self.images = self.images.contiguous(memory_format=torch.channels_last)
        fused = {"fused": True} if self.fast else {}
        self.optimizer = torch.optim.SGD(self.model.parameters(), lr=0.001, momentum=0.9, **fused)
        self.loss = torch.nn.CrossEntropyLoss()
        self.net = torch.compile(self.model, mode="default" if device == "cpu" else "reduce-overhead") if mode == "compiled" else self.model

    def step(self):
        torch = self.torch
        self.optimizer.zero_grad(set_to_none=True)
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.bf16):
            logits = self.net(self.images)
            loss = self.loss(logits, self.targets)
        loss.backward()
        self.optimizer.step()
        return loss

    def images_per_second(self, steps: int) -> float:
        """Over these steps; the first-written way reads the loss of each, as people do."""
        self.wait()
        start = time.perf_counter()
        for _ in range(steps):
            loss = self.step()
            if not self.fast:
                loss.item()
        self.wait()
        return steps * self.batch / (time.perf_counter() - start)

    def wait(self) -> None:
        if self.device.type == "cuda":
            self.torch.cuda.synchronize()

    def peak(self) -> int:
        """Bytes: of the GPU's memory where there is one, else of the process."""
        if self.device.type == "cuda":
            return self.torch.cuda.max_memory_allocated()
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


class Loading:
    """torch's DataLoader over folders of JPEGs that have the size of the pack already: decode, augment, normalise."""

    def __init__(self, folder: str, batch: int, crop: int, workers: int):
        import torch
        from torchvision import datasets
        from torchvision.transforms import v2

        augment = v2.Compose([
            v2.PILToTensor(),
            v2.RandomRotation(15, interpolation=v2.InterpolationMode.BILINEAR),
            v2.CenterCrop(crop),
            v2.RandomHorizontalFlip(),
            v2.ToDtype(torch.float32, scale=True),
            v2.Normalize([0.5] * 3, [0.25] * 3),
        ])
        data = datasets.ImageFolder(folder, augment)
        self.batch = batch
        self.loader = torch.utils.data.DataLoader(
            data, batch, shuffle=True, drop_last=True, num_workers=workers, persistent_workers=True,
            worker_init_fn=lambda _: torch.set_num_threads(1),
        )

    def images_per_second(self, steps: int) -> float:
        """Over whole passes, until there were these steps."""
        start, done = time.perf_counter(), 0
        while done < steps:
            for _ in self.loader:
                done += 1
        return done * self.batch / (time.perf_counter() - start)

    def peak(self) -> int:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def main() -> None:
    settings = json.loads(sys.argv[1])
    mode = settings.pop("mode")
    threads = settings.pop("threads")
    if mode != "eager" and mode != "loading":
        tune_allocator()
    os.environ["OMP_NUM_THREADS"] = str(threads)
    work = Loading(**settings) if mode == "loading" else Training(mode, **settings)
    if mode != "loading" and settings["device"] == "cpu":
        work.torch.set_num_threads(threads)
    work.images_per_second(WARM_UP)
    print(json.dumps({"ready": True}), flush=True)
    for line in sys.stdin:
        print(json.dumps({"rate": work.images_per_second(int(line)), "peak": work.peak()}), flush=True)


if __name__ == "__main__":
    main()
