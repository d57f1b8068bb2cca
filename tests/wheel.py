"""The wheel, as somebody has it who has nothing but Python: built, installed into a fresh virtual environment, used.

    python tests/wheel.py --kfood target/release/kfood --environment .venv [--features …] [--photographs FOLDER]

`--environment` is a virtual environment with maturin, PyTorch and what tests/wheel_calls.py imports. Of these gigabytes nothing is fetched or
unpacked again: the fresh environment gets a link to each of its packages, so that `torch` lies where pip puts it. The wheel itself is
installed by pip. Everything after that runs with an empty environment but for PATH, HOME and LANG, in a temporary folder.

  * the wheel is built of the programs that are compiled already: a line `Compiling` is a failure;
  * so is one of `pip install .` into another fresh environment, and of `cargo install --path .`; `kfood doctor` of both finds libtorch, and their
    worker loads it. pip builds with what the environment has (`--no-build-isolation`), and Cargo with the versions that are locked
    (`--locked --offline`): with others there would be half an hour to compile;
  * as if on another machine than it was built on, `kfood doctor` finds the libtorch of the environment and the worker loads it: beside the
    program, by LIBTORCH, and by asking Python where that alone knows it; none, and one of another version, are told in words;
  * `kfood new`, `run`, `report`, `export` to ONNX; then tests/wheel_calls.py.
Photographs are real ones where a folder is named, else those of `kfood sample`. Exits with 1 if anything is otherwise.
"""

import argparse
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
# So many drawn photographs of a class.
EACH = 24
# The training, which `kfood new` sizes for some minutes, is cut to what tells the classes apart a little.
SHORTER = {r"epochs = \d+": "epochs = 10", r"width = \d+, height = \d+": "width = 64, height = 64", r"\bsize = \d+": "size = 56"}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kfood", required=True, type=pathlib.Path, help="the program kfood, for the pages of the manual")
    parser.add_argument("--environment", required=True, type=pathlib.Path)
    parser.add_argument("--features", default="", help="options of cargo that chose the features of the programs")
    parser.add_argument("--photographs", type=pathlib.Path, help="a folder of class folders")
    parser.add_argument("--out", default=ROOT / "target" / "wheels", type=pathlib.Path, help="where the wheel goes")
    options = parser.parse_args()
    options.kfood = options.kfood.resolve()
    since = time.monotonic()
    with tempfile.TemporaryDirectory() as place:
        place = pathlib.Path(place).resolve()
        from_the_checkout(options, place)
        # Behind it: what pip starts leaves a wheel of the same name, without the pages of the manual.
        wheel = build(options)
        python = install(wheel, options.environment, place / "venv")
        bare(place)
        move(place, options.kfood)
        find(place)
        use(place, python, options.photographs)
    step(f"done in {time.monotonic() - since:.0f} s", since)


def step(text, since):
    print(f"\n== {text} ({time.monotonic() - since:.1f} s)", flush=True)


def build(options):
    """The wheel with pages of the manual and completions; from what is compiled."""
    since = time.monotonic()
    # maturin takes what lies beside pyproject.toml under this name, and needs nothing there.
    data = ROOT / "kfood.data"
    shutil.rmtree(data, ignore_errors=True)
    shutil.rmtree(options.out, ignore_errors=True)
    try:
        share = data / "data" / "share"
        run([options.kfood, "man", share / "man" / "man1"], capture_output=True)
        for shell, file in SHELLS.items():
            script = run([options.kfood, "completions", shell], capture_output=True).stdout
            (share / file).parent.mkdir(parents=True)
            (share / file).write_text(script)
        maturin = options.environment.resolve() / "bin" / "maturin"
        built = run([maturin, "build", "--release", "--out", options.out, *options.features.split()], cwd=ROOT, stderr=subprocess.PIPE)
    finally:
        shutil.rmtree(data, ignore_errors=True)
    compiled = lines("Compiling", built)
    assert not compiled, f"the wheel compiled what was there: {compiled}"
    [wheel] = options.out.glob("*.whl")
    step(f"{wheel.name}: {wheel.stat().st_size / 1e6:.1f} MB, nothing compiled", since)
    return wheel


SHELLS = {
    "bash": "bash-completion/completions/kfood",
    "zsh": "zsh/site-functions/_kfood",
    "fish": "fish/vendor_completions.d/kfood.fish",
}


def from_the_checkout(options, place):
    """`pip install .` and `cargo install --path .`, of what is compiled already; both programs of each run."""
    since = time.monotonic()
    environment, features = options.environment.resolve(), options.features.split()
    fresh(environment, place / "pip")
    # As pip runs it, the backend looks for `maturin` on the path.
    path = f"{environment / 'bin'}:{os.environ['PATH']}"
    pip = [environment / "bin" / "pip", "--python", place / "pip" / "bin" / "python", "install", "--verbose", "--disable-pip-version-check"]
    asked = [f"--config-settings=build-args={' '.join(features)}"] if features else []
    built = run([*pip, "--no-deps", "--no-build-isolation", *asked, "."], cwd=ROOT, capture_output=True, env={**os.environ, "PATH": path})
    by_pip = lines("Compiling", built)
    cargo = ["cargo", "install", "--path", ".", "--locked", "--offline", "--root", place / "cargo", *features]
    by_cargo = lines("Compiling", run(cargo, cwd=ROOT, capture_output=True))
    assert not by_pip + by_cargo, f"compiled what was there: pip {by_pip}, cargo {by_cargo}"
    for name in ("pip", "cargo"):
        said = json.loads(run([place / name / "bin" / "kfood", "doctor", "--json"], capture_output=True).stdout)
        print(name, said["libtorch"], flush=True)
        assert pathlib.Path(said["tensors"]["library"]).is_file(), said
    step("pip install . and cargo install --path . compiled nothing, and their programs run", since)


def lines(word, ran):
    """The lines of a command that begin so."""
    told = ((ran.stdout or "") + (ran.stderr or "")).splitlines()
    return [line.strip() for line in told if line.strip().startswith(word)]


def install(wheel, environment, venv):
    """A fresh environment with the wheel; its Python."""
    since = time.monotonic()
    environment = environment.resolve()
    fresh(environment, venv)
    pip = [environment / "bin" / "pip", "--python", venv / "bin" / "python"]
    run([*pip, "install", "--quiet", "--disable-pip-version-check", "--no-deps", "--no-index", wheel])
    asked = run([venv / "bin" / "python", "-c", "import importlib.metadata as m; print(m.requires('kfood'))"], capture_output=True)
    assert "torch==2.11.*" in asked.stdout, asked.stdout
    for file in ["man/man1/kfood-run.1", *SHELLS.values()]:
        assert (venv / "share" / file).is_file(), file
    step("installed, its packages linked", since)
    return venv / "bin" / "python"


def fresh(environment, venv):
    """A virtual environment with a link to each package of another one."""
    run([environment / "bin" / "python", "-m", "venv", "--without-pip", venv])
    [theirs], [ours] = packages(environment), packages(venv)
    for package in theirs.iterdir():
        if not re.match(r"(pip|setuptools|kfood)\b", package.name):
            (ours / package.name).symlink_to(package.resolve())


def packages(environment):
    return list(environment.resolve().glob("lib/python3.*/site-packages"))


def bare(place):
    """From here on everything runs as for somebody who set no variable."""
    (place / "home").mkdir()
    kept = {"PATH": f"{place / 'venv' / 'bin'}:/usr/bin:/bin", "HOME": str(place / "home"), "LANG": "C.UTF-8"}
    os.environ.clear()
    os.environ.update(kept)
    os.chdir(place)


def doctor(*, good=True, **variables):
    ran = subprocess.run(["kfood", "doctor", "--json"], capture_output=True, text=True, env={**os.environ, **variables})
    assert (ran.returncode == 0) == good, ran.stderr
    return json.loads(ran.stdout) if good else ran.stderr


def move(place, kfood):
    """As on another machine: the place of the libtorch that the programs were built with is none that is there."""
    since = time.monotonic()
    built = json.loads(run([kfood, "doctor", "--json"], capture_output=True).stdout)["libtorch"]
    assert built["found"] == "where this program was built", built
    there = built["folder"].encode()
    gone = b"/nowhere".ljust(len(there), b"-")
    for name in ("kfood", "kfood-worker"):
        program = place / "venv" / "bin" / name
        content = program.read_bytes()
        assert there in content, name
        program.write_bytes(content.replace(there, gone))
    step(f"{built['folder']} is taken out of the programs, as if they were on another machine", since)


def find(place):
    """Where libtorch is found, and that the worker loads that one."""
    since = time.monotonic()
    [site] = packages(place / "venv")
    loaded = (site / "torch" / "lib").resolve()

    def finds(folder, found, **variables):
        said = doctor(**variables)
        print(said["libtorch"])
        assert said["libtorch"] == {"folder": str(folder), "found": found}
        assert pathlib.Path(said["tensors"]["library"]).parent == loaded, said["tensors"]

    def refuses(*words, **variables):
        told = doctor(good=False, **variables)
        print(told, end="")
        assert all(part in told for part in words), told

    finds(site / "torch" / "lib", "beside this program")
    (site / "torch").rename(place / "away")
    refuses("there is no libtorch 2.11 for `kfood-worker`: looked at beside this program", "help: install it: `pip install 'torch==2.11.*'`")
    finds(loaded, "by LIBTORCH", LIBTORCH=str(loaded.parent))
    # Packages elsewhere, of which Python alone knows.
    (place / "elsewhere").mkdir()
    (place / "elsewhere" / "torch").symlink_to(loaded.parent)
    (site / "elsewhere.pth").write_text(f"{place / 'elsewhere'}\n")
    finds(place / "elsewhere" / "torch" / "lib", "by asking python3")
    (site / "elsewhere.pth").unlink()
    # Another version.
    (site / "torch" / "lib").mkdir(parents=True)
    (site / "torch" / "lib" / "libtorch_cpu.so").touch()
    (site / "torch" / "version.py").write_text("__version__ = '2.12.0+cpu'\n")
    refuses("found 2.12.0+cpu in `")
    refuses("a libtorch 2.12.0+cpu, and kfood needs 2.11\nhelp: ", LIBTORCH=str(site / "torch"))
    shutil.rmtree(site / "torch")
    (place / "away").rename(site / "torch")
    step("libtorch is found", since)


def use(place, python, photographs):
    """From photographs to onnxruntime, by the program and from Python."""
    since = time.monotonic()
    work = place / "work"
    work.mkdir()
    os.chdir(work)
    if photographs:
        shutil.copytree(photographs, "photos", copy_function=os.symlink)
    else:
        run(["kfood", "sample", "sample"])
        for folder in pathlib.Path("sample/train").iterdir():
            for file in sorted(folder.iterdir())[:EACH]:
                (pathlib.Path("photos") / folder.name).mkdir(parents=True, exist_ok=True)
                file.rename(pathlib.Path("photos") / folder.name / file.name)
    for arguments in (["new", "photos"], ["check", PIPELINE]):
        run(["kfood", *arguments])
    text = pathlib.Path(PIPELINE).read_text()
    for pattern, shorter in SHORTER.items():
        text, changed = re.subn(pattern, shorter, text)
        assert changed == 1, (pattern, text)
    pathlib.Path(PIPELINE).write_text(text)
    print(f"(made shorter: {', '.join(SHORTER.values())})", flush=True)
    run(["kfood", "run", PIPELINE])
    run(["kfood", "report", PIPELINE, "-o", "report.html"])
    run(["kfood", "export", f"{PIPELINE}:net", "net.onnx"])
    step("new, run, report, export", since)
    run([python, ROOT / "tests" / "wheel_calls.py", PIPELINE, "photos"])


PIPELINE = "pipelines/photos.toml"


def run(command, **options):
    """A command that must succeed; what it prints is shown unless it is wanted."""
    if not (options.get("capture_output") or options.get("stderr")):
        print("$", *(str(part) if " " not in str(part) else repr(str(part)) for part in command), flush=True)
    ran = subprocess.run([str(part) for part in command], text=True, **options)
    if ran.returncode != 0:
        sys.exit(f"{' '.join(map(str, command))} ended with {ran.returncode}\n{ran.stdout or ''}{ran.stderr or ''}")
    return ran


if __name__ == "__main__":
    main()
