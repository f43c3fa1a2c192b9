from pnas_tools._tracking._tail import Child
from pnas_tools._tracking._values import Value, milliseconds


class Course:
    """How a search went, as series that have a step for every child, in the order in which they were asked for.

    A step tells of all children up to it, so that it is the same whoever finishes first and however often the search
    is killed; it comes when they all have outcomes.
    """

    def __init__(self) -> None:
        self._early: dict[int, Child] = {}
        self._n_steps = 0
        self._so_far = {"n_finished": 0.0, "n_failed": 0.0, "n_examples": 0.0, "seconds": 0.0}

    def add(self, children: list[Child]) -> list[list[Value]]:
        """The steps that come with these children, each with its values."""
        self._early |= {child.place: child for child in children}
        steps = []
        while self._n_steps in self._early:
            steps.append(self._step(self._early.pop(self._n_steps)))
            self._n_steps += 1
        return steps

    def _step(self, child: Child) -> list[Value]:
        outcome, so_far = child.outcome, self._so_far
        so_far["n_finished"] += outcome.status == "finished"
        so_far["n_failed"] += outcome.accuracy is None
        so_far["n_examples"] += outcome.n_examples
        so_far["seconds"] += outcome.seconds
        step = {**so_far, "n_blocks": len(child.row.candidate.cell)}
        if outcome.status == "finished":
            assert outcome.accuracy is not None
            so_far["best_accuracy"] = max(so_far.get("best_accuracy", 0.0), outcome.accuracy)
            step |= {"accuracy": outcome.accuracy, "best_accuracy": so_far["best_accuracy"]}
        if child.row.candidate.predicted is not None:
            step["predicted_accuracy"] = child.row.candidate.predicted
        at = milliseconds(child.finished_at)
        return [Value(name, value, at, child.place) for name, value in step.items()]
