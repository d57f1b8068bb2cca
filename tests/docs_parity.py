"""The Python of docs/coming-from.md that needs PyTorch and timm, run on the sample for one epoch.

    .venv/bin/python tests/docs_parity.py --kfood target/release/kfood
"""

import argparse
import pathlib
import re
import subprocess
import sys
import tempfile

PAGE = pathlib.Path(__file__).parent.parent / "docs" / "coming-from.md"
# As the page has it, and for one epoch.
SHORTER = [("range(4)", "range(1)"), ("num_epochs=4, warmup_epochs=1", "num_epochs=1, warmup_epochs=0")]


def code_of(page, heading):
    """The first Python below a heading."""
    section = page.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    return re.search(r"```python\n(.*?)```", section, re.DOTALL).group(1)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--kfood", required=True, type=pathlib.Path)
    kfood = parser.parse_args().kfood.resolve()
    page = PAGE.read_text(encoding="utf-8")
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([kfood, "sample", "data/sample"], cwd=folder, check=True, capture_output=True)
        for heading in ("PyTorch", "timm"):
            code = code_of(page, heading)
            shorter = code
            for from_, to in SHORTER:
                shorter = shorter.replace(from_, to)
            assert shorter != code, f"{heading}: the number of epochs is written otherwise"
            ran = subprocess.run([sys.executable, "-c", shorter], cwd=folder, text=True, capture_output=True)
            assert ran.returncode == 0, f"{heading}:\n{ran.stderr}"
            said = ran.stdout.strip().splitlines()[-1]
            assert re.search(r"test \d+\.\d%", said), f"{heading}: {ran.stdout}"
            print(f"{heading}: {said}")


if __name__ == "__main__":
    main()
