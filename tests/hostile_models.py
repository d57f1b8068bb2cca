"""Model files that want to run a command, and that they do so in Python and not in kfood.

    pip install hayward==1.4.1
    python tests/hostile_models.py --kfood target/release/kfood     # are they what they claim to be, and does kfood run none?
    python tests/hostile_models.py --write                          # makes them anew

The files lie in the fuzzers' corpus, `fuzz/corpora/pt/calls_*`; the test `no_way_in_which_a_model_file_calls_something_is_followed` reads
them. Between them they have every opcode of pickles that imports, calls or asks for something from outside, and every container that torch
writes. `hayward` names what each would call; a process of Python that unpickles it runs the command, where that can be had without torch.
Exits with 1 if anything differs.
"""

import argparse
import io
import pathlib
import pickle
import pickletools
import re
import resource
import struct
import subprocess
import sys
import tempfile
import zipfile

HERE = pathlib.Path(__file__).parent
CORPUS = HERE.parent / "fuzz" / "corpora" / "pt"
DONE = "executed-by-a-model-file"
COMMAND = f"touch {DONE}".encode()
# What imports, calls or asks for something from outside, by the table of pickletools.
CALLING = {"GLOBAL", "STACK_GLOBAL", "INST", "OBJ", "REDUCE", "NEWOBJ", "NEWOBJ_EX", "BUILD", "EXT1", "EXT2", "EXT4", "PERSID", "BINPERSID"}


def name(module, attribute):
    return b"c" + module.encode() + b"\n" + attribute.encode() + b"\n"


def text(words):
    return b"X" + struct.pack("<I", len(words)) + words


def stacked(module, attribute):
    return text(module.encode()) + text(attribute.encode()) + b"\x93"


def call(function, *arguments):
    return function + b"(" + b"".join(arguments) + b"tR"


SYSTEM = name("posix", "system")
RUN = text(COMMAND)
CODE = text(b"__import__('os').system('" + COMMAND + b"')")
# Lazily, and then all of it.
MAPPED = b"](" + RUN + b"e"
# How often the one value that a piece leaves may be made: each runs the command when it is unpickled.
PIECES = {
    "global": call(SYSTEM, RUN),
    "stack_global": call(stacked("posix", "system"), RUN),
    "dotted": call(stacked("os", "path.os.system"), RUN),
    "inst": b"(" + b"S'" + COMMAND + b"'\niposix\nsystem\n",
    "obj": b"(" + SYSTEM + RUN + b"o",
    "newobj": call(name("builtins", "list"), name("builtins", "map") + b"(" + SYSTEM + MAPPED + b"t\x81"),
    "newobj_ex": call(name("builtins", "list"), name("builtins", "map") + b"(" + SYSTEM + MAPPED + b"t}\x92"),
    "build": name("functools", "partial") + b"(" + SYSTEM + b"t\x81(" + SYSTEM + b"(" + RUN + b"t}Ntb)R",
    "extension": call(name("copyreg", "add_extension"), text(b"posix"), text(b"system"), b"K\xf1") + b"0" + call(b"\x82\xf1", RUN),
    "extension2": call(name("copyreg", "add_extension"), text(b"posix"), text(b"system"), b"M\xf1\x01") + b"0" + call(b"\x83\xf1\x01", RUN),
    "extension4": call(name("copyreg", "add_extension"), text(b"posix"), text(b"system"), b"J\xf1\x00\x01\x00") + b"0" + call(b"\x84\xf1\x00\x01\x00", RUN),
    "popped": call(SYSTEM, RUN) + b"0N",
    "fetched": SYSTEM + b"r\xf1\x00\x00\x000" + call(b"j\xf1\x00\x00\x00", RUN),
    "doubled": SYSTEM + b"2(" + RUN + b"tR0",
    "key": b"}" + call(SYSTEM, RUN) + b"Ns",
    "eval": call(name("builtins", "eval"), CODE),
    "getattr": call(call(name("builtins", "getattr"), call(name("builtins", "__import__"), text(b"os")), text(b"system")), RUN),
    "subprocess": call(name("subprocess", "Popen"), text(b"exec " + COMMAND), b"K\xff", b"N", b"N", b"N", b"N", b"N", b"\x88", b"\x88"),
    "runpy": call(name("runpy", "_run_code"), CODE, b"}"),
    "pty": call(name("pty", "spawn"), b"(" + text(b"touch") + text(DONE.encode()) + b"t"),
    "timeit": call(name("timeit", "timeit"), CODE, text(b"pass"), name("time", "perf_counter"), b"K\x01"),
    "reconstructor": call(name("copyreg", "__newobj__"), name("builtins", "map"), SYSTEM, MAPPED) + b"\x94" + call(name("builtins", "list"), b"h\x00"),
    "partial": call(call(name("functools", "partial"), SYSTEM, RUN)),
    "operator": call(call(name("operator", "methodcaller"), text(b"system"), RUN), call(name("builtins", "__import__"), text(b"posix"))),
}
# What nothing but torch reads: a wrapped rebuilding that is given another function, and storages that are asked for by another name.
OF_TORCH = {
    "rebuild_from_type": call(name("torch._tensor", "_rebuild_from_type_v2"), SYSTEM, name("torch", "Tensor"), b"(" + RUN + b"t", b"}"),
    "torch_load": call(name("torch", "load"), text(b"http://127.0.0.1:9/model.pt")),
    "persistent": b"P" + COMMAND + b"\n",
    "persistent_binary": b"(" + text(b"module") + SYSTEM + RUN + b"tQ",
    "persistent_call": b"(" + text(b"storage") + call(SYSTEM, RUN) + text(b"0") + text(b"cpu") + b"K\x0ctQ",
}


def weights():
    """What unpickles to the tiny state of the good fixtures, without its start and end."""
    with zipfile.ZipFile(HERE / "fixtures" / "plain.pt") as plain:
        return plain.read("plain/data.pkl")[2:-1], plain.read("plain/data/0"), plain.read("plain/data/1")


def beside(piece):
    state, _, _ = weights()
    return b"\x80\x04}(" + text(b"model") + state + text(b"more") + piece + b"u."


def zipped(pickled, more=()):
    _, zero, one = weights()
    files = [("m/data.pkl", pickled), ("m/version", b"3\n"), ("m/byteorder", b"little"), ("m/data/0", zero), ("m/data/1", one), *more]
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_STORED) as archive:
        for path, content in files:
            archive.writestr(zipfile.ZipInfo(path, (1980, 1, 1, 0, 0, 0)), content)
    return made.getvalue()


def files():
    """Each file by name, and the pickle in it that runs the command by itself, where Python alone is enough."""
    made = {}
    for piece, code in PIECES.items():
        made[f"calls_{piece}.pt"] = (zipped(beside(code)), b"\x80\x04" + code + b".")
    for piece, code in OF_TORCH.items():
        made[f"calls_{piece}.pt"] = (zipped(beside(code)), None)
    alone = b"\x80\x04" + PIECES["global"] + b"."
    legacy = [pickle.dumps(part, 2) for part in (0x1950A86A20F9469CFC6C, 1001, {"little_endian": True})]
    made["calls_alone.pt"] = (zipped(alone), alone)
    made["calls_alone.pkl"] = (alone, alone)
    made["calls_protocol_0.pkl"] = (b"cposix\nsystem\n(S'" + COMMAND + b"'\ntR.",) * 2
    made["calls_legacy.pt"] = (b"".join(legacy) + alone, alone)
    made["calls_legacy_first.pt"] = (alone + b"".join(legacy), alone)
    made["calls_constants.pt"] = (zipped(beside(b"N"), [("m/constants.pkl", alone), ("m/code/m.py", COMMAND)]), alone)
    made["calls_framed.pt"] = (zipped(b"\x80\x04\x95" + struct.pack("<Q", len(alone) - 2) + alone[2:]), alone)
    return made


def runs_in_python(pickled):
    with tempfile.TemporaryDirectory() as folder:
        code = "import pickle, sys, time; pickle.load(sys.stdin.buffer); time.sleep(0.2)"
        subprocess.run([sys.executable, "-c", code], input=pickled, cwd=folder, capture_output=True, timeout=60, check=False)
        return (pathlib.Path(folder) / DONE).exists()


def kfood_runs(kfood, path):
    """Whether kfood ran the command, and what it said."""
    with tempfile.TemporaryDirectory() as folder:
        limit = lambda: resource.setrlimit(resource.RLIMIT_CPU, (5, 5))
        run = subprocess.run([kfood, "export", str(path), "out.safetensors"], cwd=folder, capture_output=True, text=True, preexec_fn=limit, timeout=60, check=False)
        return (pathlib.Path(folder) / DONE).exists(), run


def check(kfood):
    from hayward.scanner import ModelFileScanner

    good, opcodes = True, set()
    for file, (content, pickled) in files().items():
        path = CORPUS / file
        faults = []
        if not path.exists() or path.read_bytes() != content:
            faults.append("is not what --write makes")
        for piece in [pickled or beside(OF_TORCH[file[6:-3]])]:
            opcodes |= {opcode.name for opcode, _, _ in pickletools.genops(piece)}
        if not ModelFileScanner().scan_file(path) and not file.startswith("calls_persistent"):
            faults.append("hayward finds nothing")
        if pickled and not runs_in_python(pickled):
            faults.append("Python doesn't run the command")
        ran, said = kfood_runs(kfood, path)
        if ran:
            faults.append("kfood ran the command")
        if said.returncode not in (1, 2) or not said.stderr.startswith("error: "):
            faults.append(f"kfood ended with {said.returncode}: {said.stderr[:200]}")
        good &= not faults
        print(f"{'different' if faults else 'as it must be':14} {file:30} {'; '.join(faults) or said.stderr.splitlines()[0][:90]}")
    missing = CALLING - opcodes
    if missing:
        print(f"no file has {', '.join(sorted(missing))}")
    return good and not missing


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kfood", default="target/release/kfood", help="the program kfood")
    parser.add_argument("--write", action="store_true", help="make the files anew")
    arguments = parser.parse_args()
    if arguments.write:
        for file, (content, _) in files().items():
            (CORPUS / file).write_bytes(content)
        return
    sys.exit(0 if check(str(pathlib.Path(arguments.kfood).resolve())) else 1)


if __name__ == "__main__":
    main()
