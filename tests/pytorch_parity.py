"""Holds kfood's networks and model files against PyTorch and torchvision.

    pip install torch==2.11.0 torchvision==0.26.0 timm==1.0.31 numpy safetensors
    cargo build
    python tests/pytorch_parity.py                     # all architectures: about three minutes on two cores
    python tests/pytorch_parity.py --arch resnet18     # one of them
    python tests/pytorch_parity.py --golden            # prints the table of the test `logits_are_torchvisions`

For each architecture, with random weights, norms and statistics:
  * the logits of kfood differ from torchvision's by less than 1e-4 (largest absolute difference);
  * kfood reads what PyTorch writes: `torch.save` of a state dict plain, nested, with `module.` prefixes, in the format
    before 1.6, in f16 and bf16, and safetensors;
  * kfood finds the network in what people's programs save with it: an optimizer's state, a configuration, counters, an average of the
    weights, the wrappers of DataParallel, torch.compile and Lightning, views of one storage, other layouts of memory;
  * PyTorch reads what kfood exports: `torch.load(weights_only=True)`, `load_state_dict(strict=True)`, bit-equal tensors;
  * what is no network that can be used is refused in words.
Exits with 1 if anything differs.
"""

import argparse
import collections
import dataclasses
import json
import pathlib
import subprocess
import sys
import tempfile

import numpy as np
import timm
import torch
import torchvision
from safetensors.torch import load_file, save_file

ARCHS = ["resnet18", "resnet34", "resnet50", "resnet101", "resnet152", "convnext_tiny", "efficientnet_b0"]
# Of each kind of network one, on which every way of saving is tried.
EVERY = ("resnet18", "resnet50", "convnext_tiny", "efficientnet_b0")
BOUND = 1e-4
CLASSES = 10


def random_model(arch, seed):
    """torchvision's initialisation with every norm and every scale moved away from its first values."""
    torch.manual_seed(seed)
    model = getattr(torchvision.models, arch)(weights=None, num_classes=CLASSES)
    for module in model.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            torch.nn.init.uniform_(module.weight, 0.5, 1.0)
            torch.nn.init.uniform_(module.bias, -0.2, 0.2)
            module.running_mean.uniform_(-0.2, 0.2)
            module.running_var.uniform_(0.5, 1.5)
            module.num_batches_tracked.fill_(1234)
        if isinstance(module, torch.nn.LayerNorm):
            torch.nn.init.uniform_(module.weight, 0.5, 1.0)
            torch.nn.init.uniform_(module.bias, -0.2, 0.2)
    for name, parameter in model.named_parameters():
        if name.endswith("layer_scale"):
            torch.nn.init.uniform_(parameter, 0.1, 0.5)
    return model.eval()


def variants(folder, state):
    """The ways in which people save a state dict: (name, file, what the file does to the weights)."""
    keep = lambda state: state
    to = lambda dtype: lambda state: {n: t.to(dtype) if t.is_floating_point() else t for n, t in state.items()}

    def file(name, value, how=keep, **options):
        path = folder / f"{name}.pt"
        torch.save(value, path, **options)
        return name, path, how

    half, brain = to(torch.float16), to(torch.bfloat16)
    yield file("plain", state)
    yield file("nested", {"epoch": 3, "state_dict": state, "optimizer": {"lr": 0.1, "state": {}}})
    yield file("module", {f"module.{n}": t for n, t in state.items()})
    yield file("legacy", state, _use_new_zipfile_serialization=False)
    yield file("f16", half(state), half)
    yield file("bf16", brain(state), brain)
    save_file(state, folder / "plain.safetensors")
    yield "safetensors", folder / "plain.safetensors", keep


@dataclasses.dataclass
class Config:
    """What a person's own program may pickle beside the weights."""

    rate: float = 0.1
    out: pathlib.Path = pathlib.Path("runs")


class Holder:
    def __init__(self):
        self.values = {"a": torch.ones(2)}


def beside(model, legacy):
    """Objects that stand beside the weights, with the state of an optimizer after a step."""
    optimizer = torch.optim.SGD(model.parameters(), lr=0.0, momentum=0.9)
    model(torch.randn(2, 3, 32, 32)).sum().backward()
    optimizer.step()
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, 10)
    odd = {"u2": torch.ones(2, dtype=torch.uint16), "f8": torch.ones(2).to(torch.float8_e4m3fn), "sparse": torch.eye(3).to_sparse(),
           "quantized": torch.quantize_per_tensor(torch.ones(2), 0.1, 0, torch.qint8)}
    return {"optimizer": optimizer.state_dict(), "optimizer_itself": optimizer, "scheduler": schedule.state_dict(),
            "args": argparse.Namespace(device=torch.device("cpu"), dtype=torch.float32), "config": Config(), "holder": Holder(),
            "best": np.float64(0.5), "array": np.arange(4.0), "random": np.random.get_state(), "generator": torch.get_rng_state(),
            "set": {1, 2}, "big": 2**80, "complex": torch.ones(2, dtype=torch.complex64), "count": collections.Counter("aab"),
            "mode": torchvision.transforms.InterpolationMode.BILINEAR, **({} if legacy else odd)}


def checkpoints(folder, model, state):
    """What people's programs save: (name, file, further arguments of `kfood export`). The weights in each are `state`."""

    def file(name, value, *arguments, **options):
        path = folder / f"{name}.pth.tar"
        torch.save(value, path, **options)
        return name, path, arguments

    parallel = torch.nn.DataParallel(model)
    average = torch.optim.swa_utils.AveragedModel(model)
    average.update_parameters(model)
    other = {n: t + 1 for n, t in state.items()}
    yield file("beside", {"model": state, **beside(model, False)})
    yield file("beside_4", {"model": state, **beside(model, False)}, pickle_protocol=4)
    yield file("beside_legacy", {"model": state, **beside(model, True)}, _use_new_zipfile_serialization=False)
    yield file("parallel", parallel.state_dict())
    yield file("compiled", torch.nn.DataParallel(torch.compile(model)).state_dict())
    lightning = {f"net.{n}": t for n, t in state.items()} | {"criterion.weight": torch.ones(3), "accuracy.total": torch.tensor(1)}
    yield file("lightning", {"state_dict": lightning, "hyper_parameters": {"config": Config()}, "epoch": 1,
                             "callbacks": {"ModelCheckpoint{'monitor': 'loss'}": {"best_k_models": {"a": torch.tensor(0.9)}}}})
    yield file("averaged", average.state_dict())
    yield file("average_beside", {"state_dict": other, "state_dict_ema": state}, "--weights", "state_dict_ema")
    yield file("average_module", {"model": other, "model_ema": average.state_dict()}, "--weights", "model_ema")
    yield file("nested_deep", {"model": {"state_dict": state}})
    yield file("listed", [3, (state, "x")])
    flat, views = torch.cat([t.double().flatten() for t in state.values()]).float(), {}
    for name, tensor in state.items():
        views[name], flat = flat[: tensor.numel()].view(tensor.shape), flat[tensor.numel() :]
    yield file("views", views)
    yield file("views_legacy", views, _use_new_zipfile_serialization=False)
    last = lambda t: t.contiguous(memory_format=torch.channels_last) if t.dim() == 4 else t
    yield file("channels_last", {n: last(t) for n, t in state.items()})
    parameter = lambda t: torch.nn.Parameter(t) if t.is_floating_point() else t
    yield file("parameters", {n: parameter(t) for n, t in state.items()})
    yield file("doubles", {n: t.double() for n, t in state.items()})
    save_file({f"model.{n}": t for n, t in state.items()}, folder / "said.safetensors", metadata={"format": "pt", "author": "a"})
    yield "safetensors", folder / "said.safetensors", ()


def refused(folder, model, state):
    """What can't be had: (name, file, words of the message)."""

    def file(name, value, *words):
        path = folder / f"{name}.pt"
        if isinstance(value, torch.jit.ScriptModule):
            value.save(str(path))
        else:
            torch.save(value, path)
        return name, path, words

    renamed = lambda name: {n.replace("fc.", name): t for n, t in state.items()}
    yield file("whole", model, "whole pickled model", "model.state_dict()")
    yield file("script", torch.jit.script(model), "TorchScript")
    yield file("two", {"model": state, "model_ema": {n: t + 1 for n, t in state.items()}}, "2 sets of weights", "--weights")
    for head in ("classifier.", "head.", "fc.1."):
        yield file(f"head_{head}", renamed(head), f"`{head}weight`", "transfer")
    yield file("no_head", {n: t for n, t in state.items() if "fc." not in n}, "is missing", "transfer")
    yield file("parameters_alone", dict(model.named_parameters()), "running_mean", "model.state_dict()")
    yield file("numpy", {n: t.numpy() for n, t in state.items()}, "NumPy", "as tensors")
    yield file("float8", {n: t.to(torch.float8_e4m3fn) for n, t in state.items()}, "not a tensor that is known", "float()")
    yield file("other", torchvision.models.wide_resnet50_2(weights=None).state_dict(), "accepted are torchvision's")


def check_checkpoints(kfood, folder):
    model = random_model("resnet18", seed=9)
    state = collections.OrderedDict((n, t.clone()) for n, t in model.state_dict().items())
    out, good = folder / "out.safetensors", True
    for name, path, arguments in checkpoints(folder, model, state):
        subprocess.run([kfood, "export", str(path), str(out), *arguments], check=True, capture_output=True)
        found = load_file(out)
        equal = found.keys() == state.keys() and all(torch.equal(found[n], t) for n, t in state.items())
        good &= report(equal, f"resnet18        {name:14} tensors bit-equal")
        path.unlink()
    for name, path, words in refused(folder, model, state):
        run = subprocess.run([kfood, "export", str(path), str(folder / "never.pt")], capture_output=True, text=True)
        told = run.returncode in (1, 2) and all(word in run.stderr for word in words)
        good &= report(told, f"resnet18        {name:14} refused: {run.stderr.splitlines()[:1]}")
        path.unlink()
    return good


def check_timm(worker, folder):
    """timm's networks of these names compute what torchvision's do, with the same names of tensors."""
    good, x = True, torch.randn(2, 3, 64, 64)
    for arch in ("resnet18", "resnet50"):
        model = timm.create_model(arch, num_classes=CLASSES).eval()
        torch.save(model.state_dict(), folder / "timm.pt")
        with torch.no_grad():
            difference = (forward(worker, folder / "timm.pt", x, folder / "job") - model(x)).abs().max().item()
        good &= report(difference < BOUND, f"{arch:15} timm         largest difference {difference:.1e}")
    return good


def forward(worker, model, x, folder):
    """kfood's logits."""
    folder.mkdir(exist_ok=True)
    (folder / "logits.safetensors").unlink(missing_ok=True)
    save_file({"x": x}, folder / "input.safetensors")
    job = {"model": {"path": str(model), "normalize": None}, "input": str(folder / "input.safetensors"),
           "device": "cpu", "threads": 2, "out": str(folder)}
    (folder / "job.json").write_text(json.dumps({"forward": job}))
    # The end of its input tells a worker that its parent is gone, so the pipe stays open until it has ended.
    process = subprocess.Popen([worker, str(folder / "job.json")], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
    if process.wait() != 0:
        raise SystemExit(f"{worker} ended with {process.returncode}")
    return load_file(folder / "logits.safetensors")["logits"]


def reference(model, state, x):
    """torchvision's logits with the weights as the file holds them, in f32."""
    model.load_state_dict({n: t.float() if t.is_floating_point() else t for n, t in state.items()}, strict=True)
    with torch.no_grad():
        return model(x)


def check(arch, every, worker, kfood, folder):
    model = random_model(arch, seed=ARCHS.index(arch))
    state = {n: t.clone() for n, t in model.state_dict().items()}
    x = torch.randn(2, 3, 96, 128)
    good = True
    for name, path, how in variants(folder, state):
        if name != "plain" and not every:
            continue
        ours, theirs = forward(worker, path, x, folder / "job"), reference(model, how(state), x)
        difference, largest = (ours - theirs).abs().max().item(), theirs.abs().max().item()
        text = f"{arch:15} {name:12} largest difference {difference:.1e} of logits up to {largest:.2f}"
        good &= report(difference < BOUND, text)

    out = folder / "exported.pt"
    subprocess.run([kfood, "export", str(folder / "plain.pt"), str(out)], check=True, stdout=subprocess.DEVNULL)
    exported = torch.load(out, weights_only=True)
    fresh = getattr(torchvision.models, arch)(weights=None, num_classes=CLASSES)
    fresh.load_state_dict(exported, strict=True)
    equal = list(exported) == list(state) and all(torch.equal(exported[n], t) for n, t in state.items())
    good &= report(equal, f"{arch:15} exported     load_state_dict(strict=True), names in order, tensors bit-equal")
    return good


def report(good, text):
    print("ok   " if good else "WRONG", text, flush=True)
    return good


def formula(seed, count):
    """Numbers in [-0.5, 0.5) that any language can make: a 32-bit mix of place and seed."""
    h = (np.arange(count, dtype=np.uint64) + np.uint64(seed * 1000003)) & np.uint64(0xFFFFFFFF)
    for _ in range(2):
        h = ((h ^ (h >> np.uint64(16))) * np.uint64(0x45D9F3B)) & np.uint64(0xFFFFFFFF)
    return (h ^ (h >> np.uint64(16))).astype(np.float64) / 2.0**32 - 0.5


# With weaker norms an EfficientNet of such weights gives the same logits for every image: each of its blocks damps what it is given.
GAIN = {"efficientnet_b0": 1.9}


def formula_state(model, gain=1.0):
    """The weights of the test `logits_are_torchvisions`: a function of place in the state dict and place in the tensor."""
    state = {}
    for seed, (name, tensor) in enumerate(model.state_dict().items()):
        if name.endswith("num_batches_tracked"):
            state[name] = torch.tensor(seed)
            continue
        u = formula(seed, tensor.numel())
        if tensor.dim() == 4:
            u = u * (24.0 / (tensor.shape[1] * tensor.shape[2] * tensor.shape[3])) ** 0.5
        elif tensor.dim() == 2:
            u = u * 0.1
        elif name.endswith("running_var"):
            u = 1.0 + 0.5 * u
        elif name.endswith("weight"):
            u = gain * (0.6 + 0.4 * u)
        else:
            u = 0.2 * u
        state[name] = torch.from_numpy(u.astype(np.float32)).reshape(tensor.shape)
    return state


def golden(archs):
    x = torch.from_numpy((2.0 * formula(1000, 2 * 3 * 64 * 64)).astype(np.float32)).reshape(2, 3, 64, 64)
    for arch in archs:
        model = getattr(torchvision.models, arch)(weights=None, num_classes=5).eval()
        logits = reference(model, formula_state(model, GAIN.get(arch, 1.0)), x)
        print(arch, [[float(f"{v:.6f}") for v in row] for row in logits.tolist()])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--worker", default="target/debug/kfood-worker", help="the program kfood-worker")
    parser.add_argument("--kfood", default="target/debug/kfood", help="the program kfood")
    parser.add_argument("--arch", choices=ARCHS, action="append", help="only this one; may be repeated")
    parser.add_argument("--golden", action="store_true", help="print torchvision's logits for the formula's weights")
    arguments = parser.parse_args()
    archs = arguments.arch or ARCHS
    print(f"torch {torch.__version__}, torchvision {torchvision.__version__}")
    if arguments.golden:
        return golden(archs)
    worker, kfood = (str(pathlib.Path(p).resolve()) for p in (arguments.worker, arguments.kfood))
    good = True
    with tempfile.TemporaryDirectory() as folder:
        good &= check_timm(worker, pathlib.Path(folder))
        good &= check_checkpoints(kfood, pathlib.Path(folder))
    for arch in archs:
        with tempfile.TemporaryDirectory() as folder:
            good &= check(arch, arch in EVERY, worker, kfood, pathlib.Path(folder))
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
