"""What docs/coming-from.md shows of other tools, as it stands there but for one epoch, on the sample.

    .venv/bin/python tests/docs_parity.py --kfood target/release/kfood [--tools .venv/tools]

PyTorch and timm run in the environment of this script; fastai, ultralytics and DVC in that of `--tools`, without which they are passed over.
Of DVC's stages the two programs are the reader's own: small ones stand in their place.
"""

import argparse
import os
import pathlib
import re
import subprocess
import sys
import tempfile

PAGE = pathlib.Path(__file__).parent.parent / "docs" / "coming-from.md"
# As the page has it, and for one epoch.
SHORTER = [
    ("range(4)", "range(1)"),
    ("num_epochs=4, warmup_epochs=1", "num_epochs=1, warmup_epochs=0"),
    ("learn.fit(4, 0.001)", "learn.fit(1, 0.001)"),
    ("epochs=4 ", "epochs=1 "),
]
# What the reader of DVC's part has: a program for each stage, and the parameters that they name.
READERS = {
    "prepare.py": "import pathlib\npathlib.Path('pixels').mkdir()\npathlib.Path('pixels/0').write_text('0')\n",
    "train.py": "import json, pathlib\npathlib.Path('model.pt').write_bytes(b'0')\njson.dump({'top1': 0.5}, open('metrics.json', 'w'))\n",
    "params.yaml": "size: 64\ntrain:\n  epochs: 4\n",
}


def code_of(page, heading, language):
    """The first code in a language below a heading."""
    section = page.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    return re.search(rf"```{language}\n(.*?)```", section, re.DOTALL).group(1)


def shorter(code):
    """The same for one epoch."""
    found = code
    for from_, to in SHORTER:
        found = found.replace(from_, to)
    assert found != code, f"the number of epochs is written otherwise:\n{code}"
    return found


def run(command, folder, **more):
    """What a command printed; it must succeed."""
    ran = subprocess.run(command, cwd=folder, text=True, capture_output=True, **more)
    assert ran.returncode == 0, f"{command}:\n{ran.stdout[-2000:]}\n{ran.stderr[-4000:]}"
    return ran.stdout + ran.stderr


def python(page, folder, program, heading, ends):
    """Runs the Python below a heading; its last line must be as expected."""
    code = shorter(code_of(page, heading, "python"))
    environment = os.environ | {"FASTAI_HOME": str(folder / "fastai"), "PYTHONWARNINGS": "ignore"}
    printed = run([program, "-c", code], folder, env=environment)
    found = re.findall(ends, printed)
    assert found, f"{heading}: {printed[-2000:]}"
    print(f"{heading}: {found[-1]}")


def ultralytics(page, folder, tools):
    """The line for a shell, whose model lies where the tool says."""
    line = shorter(code_of(page, "ultralytics", "sh"))
    path = f"{tools / 'bin'}:{os.environ['PATH']}"
    own = {"PATH": path, "YOLO_CONFIG_DIR": str(folder / "yolo"), "YOLO_AUTOINSTALL": "false", "YOLO_OFFLINE": "true"}
    # By itself it writes into the folder of the version control that it is installed in, such as this checkout.
    run([tools / "bin" / "yolo", "settings", f"runs_dir={folder / 'runs'}"], folder, env=os.environ | own)
    printed = run(["sh", "-e", "-c", line], folder, env=os.environ | own)
    # What "What differs" says of a folder without a validation part.
    assert "split=test" in printed, printed[-2000:]
    [best] = (folder / "runs").rglob("best.pt")
    print(f"ultralytics: {best.relative_to(folder)}")


def dvc(page, folder, tools):
    """The stages, run once; then there is nothing to do."""
    for name, text in READERS.items():
        (folder / name).write_text(text)
    (folder / "dvc.yaml").write_text(code_of(page, "DVC", "yaml"), encoding="utf-8")
    environment = os.environ | {"PATH": f"{tools / 'bin'}:{os.environ['PATH']}", "DVC_NO_ANALYTICS": "true"}
    program = tools / "bin" / "dvc"
    run([program, "init", "--no-scm", "--quiet"], folder, env=environment)
    first = run([program, "repro"], folder, env=environment)
    assert "Running stage 'prepare'" in first and "Running stage 'train'" in first, first
    again = run([program, "repro"], folder, env=environment)
    assert "Running" not in again and "Data and pipelines are up to date." in again, again
    print("DVC: 2 stages ran, and none once more")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--kfood", required=True, type=pathlib.Path)
    parser.add_argument("--tools", type=pathlib.Path, help="a virtual environment with fastai, ultralytics and DVC")
    options = parser.parse_args()
    page = PAGE.read_text(encoding="utf-8")
    with tempfile.TemporaryDirectory() as place:
        folder = pathlib.Path(place).resolve()
        run([options.kfood.resolve(), "sample", "data/sample"], folder)
        for heading in ("PyTorch", "timm"):
            python(page, folder, sys.executable, heading, r"test \d+\.\d%")
        if options.tools is None:
            print("skipped: fastai, ultralytics and DVC, of which `--tools` names no environment")
            return
        # Not resolved: a virtual environment is known by the path of its Python.
        tools = options.tools.absolute()
        python(page, folder, tools / "bin" / "python", "fastai", r"\[[\d.]+, ?[\d.]+\]|\(#2\) \[.*\]")
        ultralytics(page, folder, tools)
        dvc(page, folder, tools)


if __name__ == "__main__":
    main()
