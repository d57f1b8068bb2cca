"""kfood's recipe as a person writes it in PyTorch, one seed in a process of its own; what to do comes as JSON on its standard input.

It reads the rows, classes and membership that kfood made, so that nothing but the training differs, and its settings as
`kfood explain` tells them; it ends at a setting that it does not know. What differs from kfood:

- torchvision turns or shears on bytes, rounds, and samples once more for the crop, there with antialias; kfood composes both into one map, samples
  once, bilinear, from bytes to floats, and takes several samples a pixel only where it shrinks below half size.
- The colours of TrivialAugment act here on the whole photograph before the crop, in kfood on the crop: contrast, autocontrast and equalize take their
  statistics from what is left of it, sharpness acts at its scale.
- This judges in bf16 as it trains; kfood evaluates in f32.
- The order, the augmentations and the initial weights come from other random numbers.

The same in both: probabilities and strengths of the augmentations, a last, smaller batch that is kept, mean and deviation of the training part,
torchvision's initialisation, groups of AdamW, the values of the cycle, evaluation of the whole row.

Prints a line of figures for each tenth of the epochs, and at the end `{"train": …, "validation": …, "test": …}` with top-1 and loss of the last epoch.
"""

import json
import math
import random
import sys
import time

import numpy as np
import torch
import torchvision
from torch import nn
from torchvision.transforms import v2

from peers.program import rows

EVALUATED_AT_ONCE = 128


def augmentations(settings: list) -> v2.Compose:
    made = []
    for entry in settings:
        ((name, of),) = entry.items()
        match name:
            case "trivial_augment_wide":
                made.append(v2.TrivialAugmentWide(of["num_magnitude_bins"], interpolation=v2.InterpolationMode.BILINEAR))
            case "random_resized_crop":
                made.append(v2.RandomResizedCrop(of["size"], scale=of["scale"], ratio=of["ratio"], antialias=True))
            case "random_horizontal_flip":
                made.append(v2.RandomHorizontalFlip(of))
            case _:
                raise SystemExit(f"this script does not know the augmentation `{name}`")
    return v2.Compose(made)


def check(training: dict) -> None:
    """Ends where the training has a setting that this script would not follow."""
    plain = {
        "accumulation_steps": 1, "class_weights": None, "clip_grad_norm": None, "clip_grad_value": None, "early_stopping": None, "ema": None,
        "layer_decay": 1.0, "loss": "cross_entropy", "mix": None, "norm_weight_decay": 0.0, "bias_weight_decay": 0.0, "normalize": "dataset",
        "repeated_augmentation": 1, "sampling": "shuffle",
    }
    followed = {"augment", "batch_size", "epochs", "label_smoothing", "optimizer", "precision", "schedule", "seed"}
    for key, value in training.items():
        if key not in followed and plain.get(key, "?") != value and value not in (None, False):
            raise SystemExit(f"this script does not know `{key} = {value}`")


def optimizer(model: nn.Module, training: dict, fused: bool = False) -> torch.optim.Optimizer:
    """AdamW; norms and biases, which have one dimension, do not decay."""
    of = training["optimizer"]["adamw"]
    decays = [p for p in model.parameters() if p.ndim > 1]
    others = [p for p in model.parameters() if p.ndim <= 1]
    groups = [{"params": decays}, {"params": others, "weight_decay": 0.0}]
    return torch.optim.AdamW(groups, of["lr"], tuple(of["betas"]), of["eps"], of["weight_decay"], fused=fused)


def one_cycle(made: torch.optim.Optimizer, training: dict, steps: int):
    of = dict(training["schedule"]["one_cycle"])
    if of.pop("warmup_epochs", 0):
        raise SystemExit("this script does not know a warm-up before one cycle")
    return torch.optim.lr_scheduler.OneCycleLR(made, training["optimizer"]["adamw"]["lr"], total_steps=steps, **of)


class Photographs(torch.utils.data.Dataset):
    def __init__(self, pixels, classes, of, augment, normalize):
        self.pixels, self.classes, self.of, self.augment, self.normalize = pixels, classes, of, augment, normalize

    def __len__(self):
        return len(self.of)

    def __getitem__(self, i):
        row = self.of[i]
        return self.normalize(self.augment(self.pixels[row])), int(self.classes[row])


def one_thread(_: int) -> None:
    torch.set_num_threads(1)
    seed = torch.initial_seed() % 2**32
    random.seed(seed), np.random.seed(seed)


def main() -> None:
    of = json.load(sys.stdin)
    training, parts = of["training"], of["parts"]
    check(training)
    torch.set_num_threads(of["threads"])
    torch.manual_seed(training["seed"]), random.seed(training["seed"]), np.random.seed(training["seed"])
    pixels = torch.from_numpy(np.array(rows(of["pack"]))).permute(0, 3, 1, 2).contiguous()
    classes = torch.tensor(of["classes"])
    train = pixels[parts["train"]].float().div_(255)
    mean, std = train.mean((0, 2, 3)), train.std((0, 2, 3), correction=0)
    del train
    normalize = lambda image: (image.float() / 255 - mean[:, None, None]) / std[:, None, None]
    data = Photographs(pixels, classes, parts["train"], augmentations(training["augment"]), normalize)
    loader = torch.utils.data.DataLoader(data, training["batch_size"], shuffle=True, num_workers=of["workers"], worker_init_fn=one_thread, persistent_workers=True)
    model = torchvision.models.get_model(of["arch"], num_classes=int(classes.max()) + 1).to(memory_format=torch.channels_last)
    made = optimizer(model, training)
    schedule = one_cycle(made, training, training["epochs"] * len(loader))
    loss_of = nn.CrossEntropyLoss(label_smoothing=training["label_smoothing"])
    bf16 = lambda: torch.autocast("cpu", torch.bfloat16, enabled=of["bf16"])

    def judged(part: list) -> dict:
        model.eval()
        right, loss = 0, 0.0
        with torch.no_grad():
            for i in range(0, len(part), EVALUATED_AT_ONCE):
                some = part[i : i + EVALUATED_AT_ONCE]
                with bf16():
                    logits = model(normalize(pixels[some]).contiguous(memory_format=torch.channels_last))
                right += (logits.argmax(1) == classes[some]).sum().item()
                loss += nn.functional.cross_entropy(logits.float(), classes[some], reduction="sum").item()
        return {"top1": right / len(part), "loss": loss / len(part)}

    began = time.time()
    for epoch in range(1, training["epochs"] + 1):
        model.train()
        total = 0.0
        for images, targets in loader:
            with bf16():
                logits = model(images.contiguous(memory_format=torch.channels_last))
            loss = loss_of(logits.float(), targets)
            made.zero_grad(set_to_none=True)
            loss.backward()
            made.step()
            schedule.step()
            total += loss.item() * len(targets)
        if not math.isfinite(total):
            raise SystemExit("the loss is no number")
        if epoch % max(training["epochs"] // 10, 1) == 0:
            said = {"epoch": epoch, "train loss": total / len(data), "seconds": time.time() - began}
            print(json.dumps(said), file=sys.stderr, flush=True)
    print(json.dumps({part: judged(parts[part]) for part in ("train", "validation", "test")}), flush=True)


if __name__ == "__main__":
    main()
