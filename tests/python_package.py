"""The package of src/python, with the program as it was built: what it says, and what it says when things go wrong.

    python3 tests/python_package.py target/release/kfood

Needs the standard library alone. What needs PyTorch, pandas and an installed wheel is in tests/wheel.py.
"""

import contextlib
import io
import os
import pathlib
import struct
import subprocess
import sys
import tempfile
import unittest
import zlib

SOURCE = pathlib.Path(__file__).resolve().parent.parent / "src" / "python"
sys.path.insert(0, str(SOURCE))

import kfood  # noqa: E402
from kfood import _program  # noqa: E402

PIPELINE = """
[dataset.dishes]
train = "data"

[preprocess.pixels]
dataset = "dishes"
resize = { width = 16, height = 16 }

[split.holdout]
dataset = "dishes"
validation = 0.5
"""


def png(path, value):
    """A grey square."""
    chunk = lambda kind, data: struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    header = struct.pack(">IIBBBBB", 24, 24, 8, 0, 0, 0, 0)
    rows = b"".join(bytes([0]) + bytes((value + 7 * x * y) % 256 for x in range(24)) for y in range(24))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))


class ThePackage(unittest.TestCase):
    def setUp(self):
        place = tempfile.TemporaryDirectory()
        self.addCleanup(place.cleanup)
        self.addCleanup(os.chdir, os.getcwd())
        os.chdir(place.name)
        for i in range(4):
            png(pathlib.Path(f"data/{'김밥' if i % 2 else '잡채'}/{i}.png"), 40 * i)
        pathlib.Path("pipelines").mkdir()
        pathlib.Path("pipelines/first.toml").write_text(PIPELINE, encoding="utf-8")

    def fails(self, wanted, call, *arguments, **options):
        with contextlib.redirect_stderr(io.StringIO()), self.assertRaises(wanted) as caught:
            call(*arguments, **options)
        return caught.exception

    def test_a_run_does_what_changed_and_says_so_unless_it_is_to_be_quiet(self):
        with contextlib.redirect_stderr(io.StringIO()) as said:
            first = kfood.run("pipelines/first.toml")
        self.assertEqual([(s["id"], s["outcome"]) for s in first.stages], [("dishes", "ran"), ("pixels", "ran"), ("holdout", "ran")])
        self.assertIn("3 stages: 3 ran", said.getvalue())
        self.assertEqual(repr(first), "<kfood.Run of pipelines/first.toml: 3 ran>")
        with contextlib.redirect_stderr(io.StringIO()) as said:
            again = kfood.run(pathlib.Path("pipelines/first.toml"), "holdout", quiet=True)
        self.assertEqual({s["outcome"] for s in again.stages}, {"cached"})
        self.assertEqual(said.getvalue(), "")
        self.assertEqual(len(kfood.results("pipelines/first.toml", quiet=True)), 0)

    def test_a_missing_file_is_an_error_in_kfoods_words(self):
        for call in (kfood.run, kfood.results, kfood.report):
            error = self.fails(kfood.Error, call, "pipelines/frist.toml")
            self.assertRegex(str(error), r"(?s)\Aerror: .*pipelines/frist\.toml")
            self.assertEqual(error.exit_code, 2)

    def test_a_mistake_in_a_file_is_shown_with_its_place(self):
        pathlib.Path("pipelines/first.toml").write_text(PIPELINE.replace("validation", "validaton"), encoding="utf-8")
        error = self.fails(kfood.Error, kfood.run, "pipelines/first.toml")
        for part in ("error", "pipelines/first.toml:", "validaton = 0.5", "^^^", "validation"):
            self.assertIn(part, str(error))

    def test_a_stage_that_fails_raises_with_what_failed_and_why(self):
        pathlib.Path("data/김밥/9.png").write_bytes(b"no image")
        error = self.fails(kfood.Error, kfood.run, "pipelines/first.toml")
        self.assertRegex(str(error), r"(?s)\Aerror: stage `pixels`.*help: ")
        self.assertIn("9.png", str(error))
        self.assertEqual(error.exit_code, 1)

    def test_what_differs_from_the_lock_file_is_named(self):
        kfood.run("pipelines/first.toml", quiet=True)
        same = kfood.run("pipelines/first.toml", locked=True, quiet=True)
        self.assertEqual({one["verdict"] for one in same.locked}, {"equal"})
        pathlib.Path("pipelines/first.toml").write_text(PIPELINE.replace("0.5", "0.25"), encoding="utf-8")
        error = self.fails(kfood.Error, kfood.run, "pipelines/first.toml", locked=True)
        self.assertRegex(str(error), r"(?s)\Aerror: results differ from the lock file:\n  holdout .*: recorded .*, found ")
        self.assertEqual(error.exit_code, 1)

    def test_without_the_program_the_error_says_where_it_was_looked_for(self):
        folders, _program._folders = _program._folders, lambda: iter([pathlib.Path("/nowhere")])
        path = os.environ.pop("PATH")
        try:
            error = self.fails(kfood.Error, kfood.run, "pipelines/first.toml")
        finally:
            _program._folders, os.environ["PATH"] = folders, path
        self.assertEqual(str(error), "there is no program `kfood` in `/nowhere` or on the path\nhelp: install this package again, with pip")

    def test_without_torch_loading_a_model_names_what_to_install(self):
        before = sys.modules.get("torch")
        sys.modules["torch"] = None
        try:
            error = self.fails(ImportError, kfood.load, "pipelines/first.toml:net")
        finally:
            sys.modules.pop("torch") if before is None else sys.modules.update(torch=before)
        self.assertEqual(str(error), "`kfood.load` needs `torch`, and it is not installed: pip install 'torch==2.11.*' 'torchvision==0.26.*' 'pillow'")

    def test_a_report_is_a_document_of_its_own_in_a_notebook(self):
        kfood.run("pipelines/first.toml", quiet=True)
        page = kfood.report("pipelines/first.toml", lang="ko", height=500, quiet=True)
        shown = page._repr_html_()
        self.assertRegex(shown, r'\A<iframe srcdoc="[^"<>]+" sandbox="allow-scripts" width="100%" height="500" style="border: 0"></iframe>\Z')
        self.assertEqual(shown.count("&lt;head&gt;&lt;base href=&quot;about:srcdoc&quot;&gt;"), 1)
        page.save("page.html")
        self.assertEqual(pathlib.Path("page.html").read_text(encoding="utf-8"), page.html)
        self.assertIn('<html lang="ko"', page.html)

    def test_importing_needs_the_standard_library_alone(self):
        check = "import sys; sys.path.insert(0, sys.argv[1]); import kfood; print(sorted({m.split('.')[0] for m in sys.modules} - sys.stdlib_module_names))"
        ran = subprocess.run([sys.executable, "-I", "-S", "-c", check, str(SOURCE)], capture_output=True, text=True)
        self.assertEqual(ran.stdout, "['__main__', 'kfood']\n", ran.stderr)

    def test_the_package_is_the_program_for_python_m(self):
        ours = str(pathlib.Path(_program.program()).parent)
        asked = "import sys, runpy; sys.path.insert(0, sys.argv.pop(1)); from kfood import _program; import pathlib; "
        asked += "at = pathlib.Path(sys.argv.pop(1)); _program._folders = lambda: iter([at]); runpy.run_module('kfood', run_name='__main__')"
        ran = subprocess.run([sys.executable, "-c", asked, str(SOURCE), ours, "--version"], capture_output=True, text=True)
        self.assertRegex(ran.stdout, r"\Akfood \d", ran.stderr)


if __name__ == "__main__":
    program = pathlib.Path(sys.argv.pop(1)).resolve()
    _program._folders = lambda: iter([program.parent])
    unittest.main(verbosity=2)
