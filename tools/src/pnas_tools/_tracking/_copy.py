from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import chain
from typing import TYPE_CHECKING, Any

from pnas_search import Ledger
from pnas_tools._run_folder import RunFolder
from pnas_tools._tracking import _child_run, _search_run
from pnas_tools._tracking._course import Course
from pnas_tools._tracking._memory import recall, remember, search_id, sole_sender
from pnas_tools._tracking._store import connected, find_run, find_runs, is_server, log_values
from pnas_tools._tracking._tail import Child, Tail
from pnas_tools._tracking._values import Value, milliseconds

if TYPE_CHECKING:  # importing mlflow takes seconds
    from mlflow import MlflowClient
    from mlflow.entities import Run

_REQUESTS_AT_A_TIME = 8  # a SQLite file has one writer, and takes one
_STEPS_PER_REQUEST = 100  # MLflow takes 1,000 metrics at a time, and a step is less than ten

_COMPLETE = "complete"
_FINDINGS = ("best_accuracy", "n_models", "n_examples")


@dataclass
class Sent:
    """How much was sent."""

    n_children: int = 0
    n_steps: int = 0
    n_files: int = 0


@contextmanager
def opened_copy(run: RunFolder, uri: str) -> Iterator["Copy"]:
    """The copy of a search in the MLflow store at `uri`, begun where there is none.

    Raises:
        BadInput: another process is sending it.
        LedgerError: the ledger cannot be read.
    """
    with sole_sender(run), Ledger.read(run.ledger) as ledger:
        search_id(run)
        before = recall(run).get("tracking_uri")
        if before is None:
            remember(run, tracking_uri=uri)
        client, experiment_id = connected(uri, run.path)
        copy = Copy(client, experiment_id, run, ledger, n_threads=_REQUESTS_AT_A_TIME if is_server(uri) else 1)
        # Together, and once it has answered: an address that was misspelt is not taken for that of the run.
        remember(run, tracking_uri=uri, run_id=copy.run_id, **({} if before == uri else {"complete": False}))
        yield copy


class Copy:
    """A search in MLflow: what is there is looked up once, and what the ledger has beside it is sent.

    A child is a run, which has ended as soon as everything of it is there. Wherever sending was cut off, the next copy
    finds the run that is not over, and sends it again; MLflow takes what it has already as the same.
    """

    def __init__(
        self, client: "MlflowClient", experiment_id: str, run: RunFolder, ledger: Ledger, *, n_threads: int
    ) -> None:
        self.sent = Sent()
        self._client = client
        self._run = run
        self._ledger = ledger
        self._n_threads = n_threads
        self._config = ledger.config()
        there = self._there(experiment_id) or self._create(experiment_id)
        self.run_id = str(there.info.run_id)
        self._experiment_id = str(there.info.experiment_id)
        self._send_params(there)
        self._tail, self._course = Tail(ledger), Course()
        self._last_end: datetime | None = None
        self._children = self._children_there()
        steps = client.get_metric_history(self.run_id, "n_finished")
        self._n_steps = max((metric.step + 1 for metric in steps), default=0)

    def mark_running(self) -> None:
        """Have MLflow say that the search goes on."""
        if self._client.get_run(self.run_id).info.status != "RUNNING":
            self._client.update_run(self.run_id, "RUNNING")

    def send_children(self) -> None:
        """Send the children that have ended and are not there."""
        children = self._tail.read()
        if not children:
            return
        self._last_end = max(child.finished_at for child in children)
        missing = [child for child in children if self._children.get(_child_run.child_id(child)) != _COMPLETE]
        with ThreadPoolExecutor(self._n_threads) as pool:
            for _ in pool.map(self._send_child, missing):  # after the first that fails, those that wait are given up
                self.sent.n_children += 1
        steps = [step for step in self._course.add(children) if step[0].step >= self._n_steps]
        for start in range(0, len(steps), _STEPS_PER_REQUEST):
            batch = steps[start : start + _STEPS_PER_REQUEST]
            log_values(self._client, self.run_id, list(chain.from_iterable(batch)))
            self.sent.n_steps += len(batch)

    def conclude(self, status: str) -> None:
        """Send what is known at the end: FINISHED, FAILED or KILLED."""
        there = self._client.get_run(self.run_id)
        result = self._run.read_result()
        self._describe(there, result)
        if result is not None:
            self._send_findings(there, result)
        self._send_files()
        end = milliseconds(self._last_end or datetime.now(UTC))
        if there.info.status != status or self.sent != Sent():
            self._client.set_terminated(self.run_id, status, end)
        remember(self._run, complete=result is not None)

    def _there(self, experiment_id: str) -> "Run | None":
        remembered = recall(self._run)
        run = find_run(self._client, remembered["run_id"]) if "run_id" in remembered else None
        if run is not None and run.data.tags.get(_search_run.SEARCH_TAG) == remembered["search_id"]:
            return run
        found = find_runs(self._client, experiment_id, _search_run.SEARCH_TAG, remembered["search_id"])
        return next(iter(found), None)

    def _create(self, experiment_id: str) -> "Run":
        first = min(self._ledger.times().values(), default=None, key=lambda times: times[1])
        begun = (first[0] or first[1]) if first is not None else datetime.now(UTC)
        tags = _search_run.tags(self._run, self._config, self._ledger.provenance(), search_id(self._run))
        tags["mlflow.note.content"] = _search_run.note(self._config, None)  # until there is a result
        return self._client.create_run(
            experiment_id, start_time=milliseconds(begun), tags=tags, run_name=self._run.path.absolute().name
        )

    def _send_params(self, there: "Run") -> None:
        from mlflow.entities import Param

        missing = {name: value for name, value in self._config.items() if name not in there.data.params}
        params = [Param(name, str(value)) for name, value in missing.items()]
        self._client.log_batch(self.run_id, params=params)

    def _children_there(self) -> dict[str, str]:
        """By what tells a child from others: that it is complete, or the run that it has and that is not."""
        runs = find_runs(self._client, self._experiment_id, _child_run.PARENT_TAG, self.run_id)
        return {
            run.data.tags.get(_child_run.CHILD_TAG, ""): run.info.run_id if run.info.status == "RUNNING" else _COMPLETE
            for run in runs
        }

    def _send_child(self, child: Child) -> None:
        from mlflow.entities import Param

        run_id = self._children.get(_child_run.child_id(child))
        if run_id is None:
            run_id = self._client.create_run(
                self._experiment_id,
                start_time=milliseconds(child.started_at),
                tags=_search_run.user_tag() | _child_run.tags(child, self.run_id),
                run_name=_child_run.run_name(child),
            ).info.run_id
        params = _child_run.params(child, _search_run.strategy(self._config))
        log_values(
            self._client, run_id, _child_run.metrics(child), [Param(name, value) for name, value in params.items()]
        )
        self._client.set_terminated(run_id, _child_run.run_status(child), milliseconds(child.finished_at))

    def _describe(self, there: "Run", result: dict[str, Any] | None) -> None:
        note = _search_run.note(self._config, result)
        if there.data.tags.get("mlflow.note.content") != note:
            self._client.set_tag(self.run_id, "mlflow.note.content", note)

    def _send_findings(self, there: "Run", result: dict[str, Any]) -> None:
        at = milliseconds(self._last_end or datetime.now(UTC))
        findings = [Value(f"search_{name}", result[name], at) for name in _FINDINGS]
        correlations = _search_run.level_correlations(self._ledger.rows())
        findings += [Value("rank_correlation", value, at, n_blocks) for n_blocks, value in correlations.items()]
        log_values(self._client, self.run_id, [value for value in findings if value.name not in there.data.metrics])

    def _send_files(self) -> None:
        there = {file.path: file.file_size for file in self._client.list_artifacts(self.run_id)}
        for path in _search_run.files(self._run):
            if there.get(path.name) != path.stat().st_size:
                self._client.log_artifact(self.run_id, str(path))
                self.sent.n_files += 1
