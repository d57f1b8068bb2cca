"""Running a pipeline."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from typing import Any, Sequence

from ._program import Error, call
from ._report import Report, report
from ._results import results


@dataclass(frozen=True)
class Run:
    """What a run did."""

    file: str
    """The pipeline file."""
    stages: list[dict[str, Any]]
    """For each stage `id`, `kind`, `outcome` ("ran", "cached", "fetched"), `seconds`, its `key`, the digests of its `outputs`."""
    locked: list[dict[str, str]] | None = None
    """With `locked=True`, each field that was compared: `stage`, `field`, `recorded`, `found`, and the `verdict`, "equal" or "within"."""

    def __repr__(self) -> str:
        outcomes = [stage["outcome"] for stage in self.stages]
        counts = ", ".join(f"{outcomes.count(word)} {word}" for word in dict.fromkeys(outcomes))
        return f"<kfood.Run of {self.file}: {counts or 'no stages'}>"

    def results(self) -> Any:
        """As `kfood.results`."""
        return results(self.file)

    def report(self) -> Report:
        """As `kfood.report`."""
        return report(self.file)


def run(
    file: str | os.PathLike[str],
    *stages: str,
    device: str | None = None,
    jobs: int | None = None,
    force: Sequence[str] = (),
    keep_going: bool = False,
    locked: bool = False,
    quiet: bool = False,
) -> Run:
    """Runs what changed of a pipeline: as `kfood run FILE [STAGE...]`, with its options.

    `device` is "auto", "cpu" or "cuda:N"; `jobs` how many stages without tensors run at once; `force` names stages to run although their
    result is there; `locked` compares with the lock file and never writes it. What is said meanwhile goes to `sys.stderr`, unless `quiet`.
    Raises `Error` when a stage fails, the file has mistakes, or results differ from the lock file.
    """
    options = ["--json"]
    if device is not None:
        options += ["--device", device]
    if jobs is not None:
        options += ["--jobs", str(jobs)]
    for stage in force:
        options += ["--force", stage]
    options += ["--keep-going"] * keep_going + ["--locked"] * locked
    try:
        told = json.loads(call(["run", *options, "--", file, *stages], quiet=quiet))
    except Error as error:
        raise _different(error) or error from None
    return Run(os.fspath(file), told["stages"], told["locked"])


def _different(error: Error) -> Error | None:
    """That results differ from the lock file, which the program tells in its table alone; `None` where it failed otherwise."""
    told = json.loads(error.answer) if error.answer else {}
    different = [one for one in told.get("locked") or [] if one["verdict"] == "different"]
    if not different or any(stage["error"] for stage in told["stages"]):
        return None
    lines = [f"  {one['stage']} {one['field']}: recorded {one['recorded']}, found {one['found']}" for one in different]
    return Error("\n".join(["error: results differ from the lock file:", *lines]), error.exit_code, error.answer)
