"""The figures of a pipeline."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

from ._program import call

if TYPE_CHECKING:
    import pandas

COLUMNS = ["evaluation", "model", "arch", "checkpoint", "epochs", "runs", "made_of", "tta", "part", "images"]
METRICS = ["top1", "top5", "macro_f1", "loss"]


def results(file: str | os.PathLike[str], *, quiet: bool = False) -> pandas.DataFrame | list[dict[str, Any]]:
    """A row for each evaluation and each part that it judged: a DataFrame where pandas is installed, else a list of dicts.

    Beside what was judged stand `top1`, `top5`, `macro_f1` (shares, 0 to 1) and `loss`. Of several runs, which differ in seed or fold
    alone, they are means with a standard deviation (`top1_sd`). `top1` has its 95% interval (`top1_low`, `top1_high`), over images and
    runs; `top5` has one of one run; where one does not apply it is `None`. What is there is told: `sys.stderr` says which stages are unfinished or of an earlier state.
    Raises `Error` when the file has mistakes.
    """
    told = json.loads(call(["report", "--json", "--", file], quiet=quiet))
    rows = [_row(row, part) for row in told["rows"] for part in row["parts"]]
    try:
        import pandas
    except ImportError:
        return rows
    return pandas.DataFrame(rows, columns=None if rows else COLUMNS + METRICS)


def _row(row: dict[str, Any], part: dict[str, Any]) -> dict[str, Any]:
    flat = {name: part[name] if name in part else row.get(name) for name in COLUMNS}
    for metric in METRICS:
        figure = part[metric]
        flat[metric] = figure["mean"]
        flat[f"{metric}_sd"] = figure["sd"]
        if metric in ("top1", "top5"):
            interval = figure["interval"] or {}
            flat[f"{metric}_low"], flat[f"{metric}_high"] = interval.get("low"), interval.get("high")
    return flat
