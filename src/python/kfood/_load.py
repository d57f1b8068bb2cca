"""A model of kfood as a module of PyTorch."""

from __future__ import annotations

import importlib
import json
import os
import tempfile
import zipfile
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from ._program import Error, call
from ._transform import Transform

if TYPE_CHECKING:
    import torch

# What `load` needs, by the name under which it is imported, and how pip is asked for it.
NEEDED = {"torch": "torch==2.11.*", "torchvision": "torchvision==0.26.*", "PIL": "pillow"}


def load(model: str | os.PathLike[str], *, device: str | torch.device = "cpu", weights: str | None = None) -> tuple[torch.nn.Module, Transform]:
    """A model as torchvision's module of its network, in evaluation mode, and what a photograph goes through before it.

        module, transform = kfood.load("pipelines/first.toml:net")
        logits = module(transform("photo.jpg")[None])
        module.classes[logits.argmax()]

    `model` is a stage of a pipeline as `FILE.toml:STAGE`, or a model file that kfood wrote. `weights` names one of several sets of weights in
    it. Names of classes stand in `module.classes`, in the order of the logits. Needs torchvision and Pillow: raises `ImportError` without
    them, and `Error` when there is no such model, or a file does not say its classes and transform.
    """
    torch, torchvision, _ = (_imported(name) for name in NEEDED)
    options = [] if weights is None else ["--weights", weights]
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "model.pt"
        call(["export", *options, "--", model, file], quiet=True)
        said = _said(file, model)
        state = torch.load(file, map_location="cpu", weights_only=True)
    module = torchvision.models.get_model(said["arch"], weights=None, num_classes=len(said["classes"]))
    module.load_state_dict(state, strict=True)
    module.classes = list(said["classes"])
    return module.eval().to(device), Transform(said["transform"])


def _imported(name: str) -> ModuleType:
    try:
        return importlib.import_module(name)
    except ImportError as error:
        if error.name not in (name, None):
            raise
        wanted = " ".join(f"'{one}'" for one in NEEDED.values())
        raise ImportError(f"`kfood.load` needs `{name}`, and it is not installed: pip install {wanted}", name=name) from error


def _said(file: Path, model: str | os.PathLike[str]) -> dict[str, Any]:
    """What a model of kfood says about itself: an entry of the zip that PyTorch passes over."""
    with zipfile.ZipFile(file) as entries:
        found = [name for name in entries.namelist() if name.endswith("/extra/kfood.json")]
        said: dict[str, Any] | None = json.loads(entries.read(found[0])) if found else None
    if said is None:
        raise Error(
            f"`{os.fspath(model)}` does not say its classes and its transform\n"
            "help: name a stage of a pipeline, or a file that kfood wrote; a file of others is loaded with torch.load and torchvision"
        )
    return said
