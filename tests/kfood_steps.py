"""What `recipe_parity.py` and `network_parity.py` share: a pipeline of kfood in a folder of its own, the first steps of one of its trainings, and how
far two trainings are apart."""

import json
import pathlib
import subprocess

import torch
from safetensors.torch import load_file


class Project:
    """A pipeline file `file` in `folder`, asked with the environment `env`."""

    def ask(self, *words):
        ran = subprocess.run([self.kfood, *words], env=self.env, cwd=self.folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        if ran.returncode != 0:
            raise SystemExit(f"`kfood {words[0]}` ended with {ran.returncode}:\n{ran.stderr}")
        return ran.stdout

    def explained(self, stage):
        return json.loads(self.ask("explain", self.file, stage, "--json"))[0]

    def output(self, stage, name):
        record = self.explained(stage)["record"]
        # A model of equal bytes lies where the other one is.
        at = record["outputs"].get(name, {}).get("at") or {}
        key, name = at.get("key", record["key"]), at.get("name", name)
        return str(next((self.folder / "cache" / "entries" / key).rglob(name)))


def ours(worker, fit, count):
    """So many of kfood's steps; files of the job lie in its `out`."""
    out = pathlib.Path(fit["out"])
    out.mkdir()
    (out / "job.json").write_text(json.dumps({"steps": {"fit": fit, "steps": count}}))
    # The end of its input tells a worker that its parent is gone, so the pipe stays open until it has ended.
    process = subprocess.Popen([worker, str(out / "job.json")], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    told = process.stdout.read().decode()
    if process.wait() != 0:
        raise SystemExit(f"{worker} ended with {process.returncode}: {told}")
    return json.loads((out / "steps.json").read_text()), load_file(out / "end.safetensors")


def apart(one, other):
    return abs(one - other) / abs(other)


def distance(one, other):
    """Of all parameters and statistics together, in parts of their norm."""
    names = [n for n, t in other.items() if t.is_floating_point()]
    flat = lambda state: torch.cat([state[n].detach().double().flatten() for n in names])
    return ((flat(one) - flat(other)).norm() / flat(other).norm()).item()
