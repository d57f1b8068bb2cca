"""Holds the first 20 steps of kfood's recipe against the same steps in PyTorch: losses, learning rates and weights, in f32.

    pip install torch==2.11.0 torchvision==0.26.0 numpy safetensors
    cargo build --release
    python tests/recipe_parity.py                      # about a minute on two cores; the photographs of KFOOD_REAL_DATA, or generated ones

The training is `net[seed=1]` of `pipelines/korean/best.toml` (AdamW in groups, one cycle that moves rate and beta, label smoothing, all
augmentations), with `precision = "f32"` (and with smaller batches where there are only generated photographs); once as it is and once with a single epoch, whose cycle has its peak within these steps.
`kfood-worker` writes its first weights, each batch as its network sees it, and each loss; torchvision's network gets these weights and these
batches, and the optimizer and schedule of `benches/peers/recipe.py`, by which the recipe is compared as a whole.

  * Learning rates and betas are PyTorch's to 1e-12.
  * Losses are PyTorch's to 1e-6 of the loss, and the weights after the last step to 1e-6 of their norm: PyTorch in channels_last, with as many threads
    and its fused AdamW, which are kfood's ways too. Both use one libtorch, so that they may be, and were, equal to the last bit.
  * What that bound means is measured beside it: PyTorch against itself with the same mathematics in another order of rounding, once with its
    unfused AdamW and once in contiguous memory. Such a difference of the last bit grows from step to step, for AdamW divides by small
    numbers: to some thousandths of the loss within 20 steps at the first, low rates, to some hundredths at the peak of the cycle.
Exits with 1 if anything differs.
"""

import argparse
import json
import os
import pathlib
import shutil
import sys
import tempfile

import torch
import torchvision
from safetensors.torch import load_file

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "benches"))
from peers.recipe import one_cycle, optimizer  # noqa: E402

import kfood_steps
from kfood_steps import apart, distance, ours

STEPS = 20
BOUND = 1e-6
# Memory format, threads, fused optimizer: kfood's own way first, by which it is judged, then those that tell what rounding does.
WAYS = [
    (torch.channels_last, 2, True),
    (torch.channels_last, 2, False),
    (torch.contiguous_format, 2, True),
]


class Project(kfood_steps.Project):
    """The committed recipe beside its photographs, in a folder and a cache of its own."""

    def __init__(self, kfood, folder):
        self.kfood, self.folder = kfood, folder
        pipelines = folder / "pipelines" / "korean"
        pipelines.mkdir(parents=True)
        for name in ("best.toml", "mission1.toml"):
            shutil.copy(ROOT / "pipelines" / "korean" / name, pipelines)
        self.file = str(pipelines / "best.toml")
        self.env = os.environ | {"KFOOD_CACHE": str(folder / "cache")}
        if "KFOOD_REAL_DATA" not in self.env:
            self.env["KFOOD_REAL_DATA"] = str(folder)
            self.ask("sample", str(folder / "korean20"))
        self.ask("run", self.file, "mission1.dishes", "mission1.holdout", "larger", "--json")

    def job(self, out, epochs):
        """The training of the recipe; `None` leaves its epochs."""
        settings = self.explained("net[seed=1]")["settings"]
        settings["training"]["precision"] = "f32"
        settings["training"]["epochs"] = epochs or settings["training"]["epochs"]
        data = {
            "pack": self.output("larger", "pixels.pack"), "labels": self.output("mission1.dishes", "labels.json"),
            "split": self.output("mission1.holdout", "membership.json"), "fold": None,
        }
        start = {"scratch": {"arch": settings["arch"], "zero_init_residual": settings["zero_init_residual"]}}
        return {
            "data": data, "pixels": settings["pixels"], "training": settings["training"], "start": start, "device": "cpu", "threads": WAYS[0][1],
            "out": str(out), "state": str(out / "state"),
        }


def theirs(fit, arch, of, memory_format, threads, fused):
    """The same in PyTorch from kfood's first weights on kfood's batches; `of` steps are in an epoch."""
    torch.set_num_threads(threads)
    out, training = pathlib.Path(fit["out"]), fit["training"]
    start = load_file(out / "start.safetensors")
    model = torchvision.models.get_model(arch, num_classes=len(start["fc.bias"]))
    model.load_state_dict(start, strict=True)
    model = model.to(memory_format=memory_format).train()
    made = optimizer(model, training, fused)
    schedule = one_cycle(made, training, training["epochs"] * of)
    loss_of = torch.nn.CrossEntropyLoss(label_smoothing=training["label_smoothing"])
    steps = []
    for step in range(1, STEPS + 1):
        batch = load_file(out / f"batch-{step}.safetensors")
        loss = loss_of(model(batch["images"].contiguous(memory_format=memory_format)), batch["classes"])
        group = made.param_groups[0]
        steps.append({"lr": group["lr"], "momentum": group["betas"][0], "loss": loss.item()})
        made.zero_grad(set_to_none=True)
        loss.backward()
        made.step()
        schedule.step()
    return steps, model.state_dict()


def check(name, worker, fit, arch, of):
    kfood, kfood_end = ours(worker, fit, STEPS)
    ways = [theirs(fit, arch, of, *way) for way in WAYS]
    (pytorch, end), others = ways[0], ways[1:]
    print(f"\n{name}\nstep  learning rate  beta 1     kfood's loss   PyTorch's loss   apart     PyTorch from itself")
    good, most = True, 0.0
    for i, (k, p) in enumerate(zip(kfood, pytorch)):
        most = max([most, *(apart(steps[i]["loss"], p["loss"]) for steps, _ in others)])
        found = apart(k["loss"], p["loss"])
        right = found < BOUND and apart(k["lr"], p["lr"]) < 1e-12 and apart(k["momentum"], p["momentum"]) < 1e-12
        print(f"{i + 1:4}  {k['lr']:.7f}      {k['momentum']:.5f}  {k['loss']:15.9f}  {p['loss']:15.9f}   {found:.1e}   {most:.1e}" + ("" if right else "   WRONG"))
        good &= right
    largest = max(apart(k["loss"], p["loss"]) for k, p in zip(kfood, pytorch))
    far, rounding = distance(kfood_end, end), max(distance(other, end) for _, other in others)
    good &= far < BOUND
    verdict = "ok   " if good else "WRONG"
    print(f"{verdict} {STEPS} losses, largest difference {largest:.1e} of the loss (PyTorch from itself {most:.1e}); weights after them {far:.1e} of their norm ({rounding:.1e})")
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
        folder = pathlib.Path(folder)
        project = Project(kfood, folder)
        membership = json.loads(pathlib.Path(project.output("mission1.holdout", "membership.json")).read_text())
        training = membership["assignments"].count("train")
        arch = project.explained("net[seed=1]")["settings"]["arch"]
        for name, epochs in [("as committed", None), ("one epoch", 1)]:
            fit = project.job(folder / name.replace(" ", "-"), epochs)
            # The generated photographs are too few for so many whole batches of the recipe's size.
            size = min(fit["training"]["batch_size"], training // STEPS)
            fit["training"]["batch_size"] = size
            # A last batch of one image is left out (BatchNorm).
            of = training // size + (training % size > 1)
            good &= check(f"{name}: {fit['training']['epochs']} x {of} steps", worker, fit, arch, of)
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
