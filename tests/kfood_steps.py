"""What `recipe_parity.py`, `network_parity.py` and `cam_parity.py` share: a pipeline of kfood in a folder of its own, the first steps of one of its trainings, and how
far two trainings are apart."""

import json
import os
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


class Generated(Project):
    """A pipeline beside generated photographs, in a folder and a cache of its own, after these stages ran: all without any."""

    def __init__(self, kfood, folder, pipeline, *stages):
        self.kfood, self.folder = kfood, folder
        self.env = os.environ | {"KFOOD_CACHE": str(folder / "cache")}
        (folder / "pipelines").mkdir()
        self.file = str(folder / "pipelines" / "p.toml")
        pathlib.Path(self.file).write_text(pipeline)
        self.ask("sample", str(folder / "photographs"))
        self.ask("run", self.file, *stages, "--json")

    def data(self):
        """The `data` of a job: stages `pixels`, `dishes` and `holdout`."""
        return {
            "pack": self.output("pixels", "pixels.pack"), "labels": self.output("dishes", "labels.json"),
            "split": self.output("holdout", "membership.json"), "fold": None,
        }


def work(worker, out, job):
    """Lets a worker do a job whose file lies in `out`."""
    (out / "job.json").write_text(json.dumps(job))
    # The end of its input tells a worker that its parent is gone, so the pipe stays open until it has ended.
    process = subprocess.Popen([worker, str(out / "job.json")], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    told = process.stdout.read().decode()
    if process.wait() != 0:
        raise SystemExit(f"{worker} ended with {process.returncode}: {told}")


def ours(worker, fit, count):
    """So many of kfood's steps; files of the job lie in its `out`."""
    out = pathlib.Path(fit["out"])
    out.mkdir()
    work(worker, out, {"steps": {"fit": fit, "steps": count}})
    return json.loads((out / "steps.json").read_text()), load_file(out / "end.safetensors")


def apart(one, other):
    return abs(one - other) / abs(other)


def distance(one, other):
    """Of all parameters and statistics together, in parts of their norm."""
    names = [n for n, t in other.items() if t.is_floating_point()]
    flat = lambda state: torch.cat([state[n].detach().double().flatten() for n in names])
    return ((flat(one) - flat(other)).norm() / flat(other).norm()).item()
