"""What a child of a search is to MLflow: a run nested in that of the search."""

from pnas_tools._tracking._tail import Child
from pnas_tools._tracking._values import Value, milliseconds

PARENT_TAG = "mlflow.parentRunId"
CHILD_TAG = "pnas.child"


def child_id(child: Child) -> str:
    """What tells a child from all others of its search, and is the same after a resumption."""
    return f"{child.row.round}.{child.row.position}"


def run_name(child: Child) -> str:
    n_blocks, fidelity = len(child.row.candidate.cell), child.row.candidate.fidelity
    blocks = f"{n_blocks} block{'s' if n_blocks > 1 else ''}"
    longer = f", {fidelity} x epochs" if fidelity > 1 else ""
    return f"child {child.place}, {blocks}{longer}"


def run_status(child: Child) -> str:
    """FINISHED, also of a child that was given up before its last epoch, or FAILED."""
    return "FAILED" if child.outcome.accuracy is None else "FINISHED"


def tags(child: Child, parent: str) -> dict[str, str]:
    """Of its run, in that of the search, `parent`."""
    told = {"status": child.outcome.status, "worker": child.row.worker, "message": child.outcome.message}
    return {PARENT_TAG: parent, CHILD_TAG: child_id(child), **{name: text for name, text in told.items() if text}}


def params(child: Child, strategy: str) -> dict[str, str]:
    asked = child.row.candidate
    values = {
        "cell": asked.cell.key,
        "n_blocks": len(asked.cell),
        "seed": child.row.seed,
        "fidelity": asked.fidelity,
        "strategy": strategy,
        "round": child.row.round,
    }
    if asked.parent is not None:
        values["parent"] = asked.parent.key
    return {name: str(value) for name, value in values.items()}


def metrics(child: Child) -> list[Value]:
    """What was measured, and `epoch_accuracy` after every epoch, from 1."""
    outcome, asked = child.outcome, child.row.candidate
    expected = "accuracy" if outcome.status == "finished" else "expected_accuracy"
    values = {
        expected: outcome.accuracy,
        "predicted_accuracy": asked.predicted,
        "predicted_std": asked.predicted_std,
        "seconds": outcome.seconds,
        "n_examples": outcome.n_examples,
        **outcome.measurements,
    }
    at = milliseconds(child.finished_at)
    curve = [Value("epoch_accuracy", value, at, epoch) for epoch, value in enumerate(outcome.accuracies, start=1)]
    return [Value(name, value, at) for name, value in values.items() if value is not None] + curve
