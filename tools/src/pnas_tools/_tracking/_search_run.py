"""What a search is to MLflow: a run, in which those of its children are nested."""

import getpass
import platform
from contextlib import suppress
from typing import Any

from pnas_search import LedgerRow
from pnas_searchspace import Cell
from pnas_tools._evaluator_name import TRAIN
from pnas_tools._run_folder import RunFolder
from pnas_tools._terminal import sketch

SEARCH_TAG = "pnas.search"


def user_tag() -> dict[str, str]:
    """Who sends it; nothing where the user has no name, as in some containers."""
    with suppress(OSError, KeyError):
        return {"mlflow.user": getpass.getuser()}
    return {}


def tags(run: RunFolder, config: dict[str, Any], provenance: dict[str, Any], search_id: str) -> dict[str, str]:
    values = {
        SEARCH_TAG: search_id,
        "mlflow.source.name": "pnas-tools search",
        "mlflow.source.type": "LOCAL",
        "mlflow.source.git.commit": provenance.get("git_revision"),
        "python": provenance.get("python"),
        "platform": provenance.get("platform"),
        "strategy": strategy(config),
        "dataset": config.get("dataset"),
        "evaluator": config.get("evaluator", TRAIN),
        "host": platform.node(),
        "run_folder": str(run.path.absolute()),
        **{f"version.{name}": version for name, version in provenance.get("versions", {}).items()},
    }
    return user_tag() | {name: str(value) for name, value in values.items() if value is not None}


def strategy(config: dict[str, Any]) -> str:
    return str(config.get("strategy", "progressive"))  # older versions knew no other


def files(run: RunFolder) -> list[Any]:
    """What is kept with the run, as far as it is there."""
    paths = (run.config, run.result, run.drawing, run.report)
    return [path for path in paths if path.exists()]


def note(config: dict[str, Any], result: dict[str, Any] | None) -> str:
    """What the search is, and what it found, as Markdown."""
    what = (
        f"{strategy(config).capitalize()} search on {config.get('dataset')} for a cell of {config.get('n_blocks')} "
        f"blocks, seed {config.get('seed')}; evaluator `{config.get('evaluator', TRAIN)}`."
    )
    if result is None:
        return what
    found = f"Best of {result['n_models']:,} cells, accuracy **{result['best_accuracy']:.4f}**:"
    return f"{what}\n\n{found}\n\n```\n{sketch(Cell(result['best_cell']))}\n```"


def level_correlations(rows: list[LedgerRow]) -> dict[int, float]:
    """By the size of the cells, how well the surrogate ranked those that were trained, as Spearman's correlation."""
    from scipy.stats import spearmanr

    pairs: dict[int, list[tuple[float, float]]] = {}
    for row in rows:
        if row.candidate.predicted is not None and row.outcome is not None and row.outcome.status == "finished":
            assert row.outcome.accuracy is not None
            pairs.setdefault(len(row.candidate.cell), []).append((row.candidate.predicted, row.outcome.accuracy))
    # Of one value there are no ranks.
    levels = {n: level for n, level in pairs.items() if all(len(set(side)) > 1 for side in zip(*level, strict=True))}
    return {n_blocks: float(spearmanr(level).statistic) for n_blocks, level in levels.items()}
