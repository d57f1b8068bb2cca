"""The report of a pipeline, for a notebook or a file."""

from __future__ import annotations

import html
import os
import tempfile
from pathlib import Path

from ._program import call


class Report:
    """A page without network: verdicts, mistakes with their photographs, a confusion matrix, curves. A notebook shows it."""

    def __init__(self, page: str, *, height: int = 800) -> None:
        self.html = page
        """The page itself."""
        self.height = height
        """In pixels, in a notebook."""

    def save(self, file: str | os.PathLike[str]) -> None:
        """Writes the page into a file."""
        Path(file).write_text(self.html, encoding="utf-8")

    def __repr__(self) -> str:
        return f"<kfood.Report of {len(self.html) / 1e6:.1f} MB; a notebook shows it, `save` writes it>"

    def _repr_html_(self) -> str:
        # A document of its own: its styles don't reach the notebook, and its scripts, which it names by their digests, reach nothing else.
        # Its links lead to places in itself; without a base they would be places in the notebook's page.
        page = html.escape(self.html.replace("<head>", '<head><base href="about:srcdoc">', 1), quote=True)
        return f'<iframe srcdoc="{page}" sandbox="allow-scripts" width="100%" height="{self.height}" style="border: 0"></iframe>'


def report(
    file: str | os.PathLike[str],
    *,
    images: str = "errors",
    cam: bool = False,
    lang: str | None = None,
    height: int = 800,
    quiet: bool = False,
) -> Report:
    """The page that `kfood report FILE -o report.html` writes.

    `images` says of which photographs are shown: "errors", "all" or "none"; `cam` shows what speaks for the most confident mistakes; `lang` is
    "en" or "ko", by `LANG` without. Raises `Error` when the file has mistakes.
    """
    options = ["--images", images] + ["--cam"] * cam
    if lang is not None:
        options += ["--lang", lang]
    with tempfile.TemporaryDirectory() as folder:
        page = Path(folder) / "report.html"
        call(["report", "--output", page, *options, "--", file], quiet=quiet)
        return Report(page.read_text(encoding="utf-8"), height=height)
