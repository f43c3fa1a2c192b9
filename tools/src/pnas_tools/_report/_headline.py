"""What a search found and spent, in a few words and numbers."""

import shlex

from pnas_tools._report._search_data import SearchData, ranked
from pnas_tools._report._words import amount, count, duration, level_name


def title(search: SearchData) -> str:
    return f"The search in {search.folder}"


def state(search: SearchData) -> str:
    """Whether the search is finished, and who said how accurate its cells are."""
    n_done = _n_done(search)
    if search.is_finished:
        done = f"Finished, with {count(len(search.children), 'child', 'children')}."
    else:
        done = (
            f"Not finished: it is running, or was stopped. {n_done:,} of the "
            f"{count(len(search.children), 'child', 'children')} asked for so far have an outcome, "
            "and this page tells of them."
        )
    return f"{done} {_who_measured(search)}"


def found(search: SearchData) -> str:
    """The best cell in a sentence, and a better one of another level, should there be one."""
    if search.best is None:
        return "No child has an accuracy yet."
    how = "found" if search.is_finished else "has so far found"
    cell = f"a cell of {count(len(search.best.cell), 'block')}"
    if search.best.fidelity > 1:  # nothing that was trained shorter compares with it
        longer = f"trained {search.best.fidelity} times as long as others"
        return f"It {how} {cell} that, {longer}, has accuracy {search.best.accuracy:.4f}."
    best = f"It {how} {cell} with accuracy {search.best.accuracy:.4f}"
    top = next(iter(ranked(search.measured)), None)
    if top is None or (top.accuracy or 0.0) <= (search.best.accuracy or 0.0):
        return f"{best}, the highest {'of all' if search.is_finished else 'so far'}."
    return f"{best}. The highest, {top.accuracy:.4f}, is that of a cell of {level_name(top.level)}."


def facts(search: SearchData) -> dict[str, str]:
    """Numbers by what they are."""
    children, best = search.children, search.best
    looked_up = search.benchmark is not None
    return {
        "accuracy": f"{best.accuracy:.4f}" if best is not None else "none yet",
        "parameters": amount(best.n_parameters) if best is not None and best.n_parameters is not None else "unknown",
        "models looked up" if looked_up else "models": f"{_n_done(search):,}",
        "examples": amount(sum(child.n_examples for child in children)),
        "tabulated time" if looked_up else "training": duration(sum(child.seconds for child in children)),
        "strategy": search.strategy,
        "data set": str(search.config.get("dataset", "unknown")),
        "seed": str(search.config.get("seed", "unknown")),
    }


def commands(search: SearchData) -> dict[str, str]:
    """How to go on, by what for."""
    run = shlex.quote(search.folder)
    told = {}
    if not search.is_finished:
        told["see how far it is"] = f"pnas-tools status {run}"
        if search.command is not None:
            told["go on if it was stopped"] = search.command
    if search.best is not None:
        told["draw the best cell and its network"] = f"pnas-tools show {run} -o network.svg"
        told["count what it costs"] = f"pnas-tools models info {shlex.quote(str(search.best.cell))}"
    if search.is_finished:
        told["train it to the end"] = f"pnas-tools train {run}"
    return told


def _n_done(search: SearchData) -> int:
    """Children with an outcome."""
    return sum(child.accuracy is not None or child.has_failed for child in search.children)


def _who_measured(search: SearchData) -> str:
    if search.benchmark is None:
        return "Every accuracy was measured by training the child."
    known = [child for child in search.children if child.accuracy is not None]
    interpolated = sum(child.is_interpolated for child in known)
    return (
        f"No model was trained: the surrogate benchmark {search.benchmark} looked {len(known) - interpolated:,} of the "
        f"accuracies up, and interpolated {interpolated:,}."
    )
