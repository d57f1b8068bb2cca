"""The machine and the versions that a figure belongs to."""

import os
import platform
import subprocess
from importlib import metadata
from pathlib import Path

PACKAGES = ["numpy", "opencv-python-headless", "pillow", "simplejpeg", "torch", "torchvision"]


def describe(kfood: Path) -> dict:
    """Processor, cores, kfood with its decoders, and the installed packages."""
    return {
        "processor": processor(),
        "cores available": len(os.sched_getaffinity(0)),
        "load at the start": load(),
        "kfood": said(kfood, "--version"),
        "decoders": decoders(kfood),
        "Python": platform.python_version(),
        "packages": ", ".join(filter(None, map(version, PACKAGES))),
    }


def processor() -> str:
    text = Path("/proc/cpuinfo").read_text()
    fields = dict(map(str.strip, line.split(":", 1)) for line in text.splitlines() if ":" in line)
    flags = fields.get("flags", "").split()
    wide = [flag for flag in ("avx2", "avx512f") if flag in flags]
    return f"{fields.get('model name', platform.processor())} (family {fields.get('cpu family')}, model {fields.get('model')}), {' '.join(wide)}"


def load() -> str:
    return " ".join(f"{value:.2f}" for value in os.getloadavg())


def decoders(kfood: Path) -> str:
    lines = said(kfood, "doctor").splitlines()
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith("decoders")), "not said")


def said(kfood: Path, *arguments: str) -> str:
    return subprocess.run([kfood, *arguments], capture_output=True, text=True).stdout.strip()


def version(name: str) -> str:
    try:
        found = f"{name} {metadata.version(name)}"
    except metadata.PackageNotFoundError:
        return ""
    if name == "pillow":
        from PIL import features

        found += f" (libjpeg-turbo {features.version('libjpeg_turbo')})"
    return found
