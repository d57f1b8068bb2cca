"""kfood from Python: run a pipeline, take its results and its models, see its report.

    import kfood

    kfood.run("pipelines/first.toml")                         # what `kfood run` does; only what changed
    kfood.results("pipelines/first.toml")                     # figures: a DataFrame where pandas is installed
    kfood.report("pipelines/first.toml")                      # the page, shown in a notebook
    module, transform = kfood.load("pipelines/first.toml:net")

Everything is done by the program `kfood`, which is installed along. Importing this package needs the standard library alone.
"""

from ._load import load
from ._program import Error
from ._report import Report, report
from ._results import results
from ._run import Run, run
from ._transform import Transform

__all__ = ["Error", "Report", "Run", "Transform", "load", "report", "results", "run"]
