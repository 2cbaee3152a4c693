"""The whole pipeline on the built-in purchase log, from raw lines to a report."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from recsys.data.load import load_log
from recsys.data.loaded_log import LoadedLog
from recsys.evaluation.metrics import parse_metrics
from recsys.experiment.comparison import Result, compare
from recsys.experiment.example_model import ExampleModel
from recsys.experiment.list_files import write_lists
from recsys.experiment.prepared_split import PreparedSplit, prepare
from recsys.experiment.reporting import make_context
from recsys.experiment.settings import ModelSpec, read_model
from recsys.experiment.training import train
from recsys.files import reserved
from recsys.progress import SILENT, Progress, task
from recsys.recommend.bundle_files import save_bundle
from recsys.recommend.examples import N_REASONS, UserExample, sample_users, user_examples
from recsys.recommend.explain import with_reasons
from recsys.recommend.recommender import Recommender
from recsys.recommend.themes import Theme, themes
from recsys.report.page import build_page
from recsys.report.phrases import log_in_words
from recsys.report.writing import write_report
from recsys.resources import peak_memory

LOG = "completejourney"
SPLIT = "time:4w"
METRICS = "ndcg@10,recall@10,precision@10,coverage@10"
N = 10
N_EXAMPLES = 3


@dataclass(frozen=True, eq=False)
class Demo:
    """The results of the demo.

    Attributes
    ----------
    loaded, prepared, results
        The log, the split and each model's result.
    answer : list of str
        The comparison in sentences.
    themes : list of Theme
    examples : tuple of UserExample
    files : mapping of name to path
    seconds : mapping of stage to float
    n_lists : int
        Users in the written lists.
    """

    loaded: LoadedLog
    prepared: PreparedSplit
    results: Sequence[Result]
    answer: list[str]
    themes: list[Theme]
    examples: tuple[UserExample, ...]
    files: Mapping[str, Path]
    seconds: Mapping[str, float]
    n_lists: int

    def to_json(self) -> dict[str, Any]:
        """Return the record that ``demo --json`` prints."""
        return {
            "seconds": dict(self.seconds),
            "files": {name: str(path) for name, path in self.files.items()},
            "log": self.loaded.describe(),
            "split": self.prepared.split.to_json(),
            "results": [result.to_json() for result in self.results],
            "answer": self.answer,
            "n_lists": self.n_lists,
            "peak_memory_bytes": peak_memory(),
        }


def specs() -> list[ModelSpec]:
    """Return the models of the demo, their parameters tuned on weeks before the held-out ones."""
    return [
        read_model(Path("completejourney-hybrid-nmf.toml")),
        read_model(Path("completejourney-als.toml")),
        ModelSpec("popularity"),
    ]


def run_demo(folder: Path, *, seed: int = 0, progress: Progress = SILENT) -> Demo:
    """Load, split, compare, train on everything, recommend to everyone, write files and a report.

    Parameters
    ----------
    folder : Path
        Where files are written; made if need be.
    seed : int
    progress : Progress

    Raises
    ------
    DependencyError
        If the package with the log is not installed.
    """
    with reserved(folder / "model", wait=0.5):
        return _run(folder, seed, progress)


def _run(folder: Path, seed: int, progress: Progress) -> Demo:
    began = time.perf_counter()
    with task(progress, "load the purchase log"):
        loaded = load_log(LOG)
    load_seconds = time.perf_counter() - began
    prepared = prepare(loaded, split=SPLIT, seed=seed, load_seconds=load_seconds)
    models = specs()
    results = compare(models, prepared, parse_metrics(METRICS), seed=seed, progress=progress)
    compared = time.perf_counter()

    # The lists are for tomorrow, so the model behind them learns from the last weeks, too.
    bundle, data, _ = train(loaded, models[0], seed=seed, progress=progress)
    lists = Recommender(bundle).recommend(n=N, progress=progress)
    files = {
        "report": folder / "report.html",
        "recommendations_parquet": folder / "recommendations.parquet",
        "recommendations_csv": folder / "recommendations.csv",
        "model": folder / "model",
    }
    with task(progress, "write files"):
        save_bundle(bundle, files["model"])
        write_lists(lists, files["recommendations_parquet"])
        write_lists(lists, files["recommendations_csv"])
        typical = sample_users(data, N_EXAMPLES, seed=seed)
        shown = lists.select(data.user_ids[int(row)] for row in typical)
        examples = user_examples(bundle, with_reasons(bundle, shown, N_REASONS))
        description = loaded.describe()
        context = make_context(
            title=f"Groceries: what {description['n_users']:,} households buy, and what they might like",
            subtitle="The Complete Journey, a purchase log that its authors call simulated: "
            f"{log_in_words(description)} {prepared.split.description.text}",
            loaded=loaded,
            splits=[prepared],
            results=results,
            metrics=METRICS.split(","),
            seed=seed,
            command="recsys demo" + ("" if seed == 0 else f" --seed {seed}"),
            example=ExampleModel(
                results[0].label, bundle, examples, "trained on the whole log, the held-out weeks included"
            ),
        )
        write_report(build_page(context), files["report"])
    ended = time.perf_counter()
    return Demo(
        loaded=loaded,
        prepared=prepared,
        results=results,
        answer=list(context.answer),
        themes=themes(bundle),
        examples=tuple(context.examples),
        files=files,
        seconds={
            "load": load_seconds,
            "compare": compared - began - load_seconds,
            "train_and_write": ended - compared,
            "total": ended - began,
        },
        n_lists=len(lists),
    )
