"""What becomes of children and workers, the same on all executors that have workers."""

import dataclasses
import re

import pytest

from pnas_search import SearchError, Started
from pnas_search.testing import EvaluatorSuite


class TestExecutor(EvaluatorSuite):
    @pytest.fixture
    def evaluator(self, executor):
        return executor


def test_failed_children_are_told_and_stop_no_other(executor, children, answered, n_attempts):
    does = [["finish"], ["kill"], ["exit", "hang"], ["run out of memory"], ["finish"]]
    first, killed, hung, full, last = answered(executor, children(*does))
    assert first.status == last.status == "finished"
    assert (killed.status, hung.status, full.status) == ("crashed", "timed_out", "out_of_memory")
    assert n_attempts() == {0: 1, 1: 2, 2: 2, 3: 1, 4: 1}
    assert re.fullmatch(r"its process .{,200}, twice", killed.message)
    assert hung.message.endswith(", and then it took longer than 2 s")
    assert 2 <= hung.seconds < 20
    assert full.message == "there was too little memory: Unable to allocate 3.00 TiB"
    for outcome in (killed, hung, full):
        assert (outcome.accuracy, outcome.accuracies, outcome.n_examples) == (None, (), 0)


def test_a_child_is_told_to_have_begun_at_every_attempt_by_the_process_that_trains_it(executor, children, tmp_path):
    requests = children(["kill", "finish"], ["finish"])
    reports = list(executor.evaluate(requests))
    begun = [report for report in reports if isinstance(report, Started)]
    assert sorted(report.request.seed for report in begun) == [0, 0, 1]
    pids = {(report.request.seed, int(report.worker.split()[1])) for report in begun}
    assert pids == {tuple(map(int, path.name.split("-"))) for path in tmp_path.iterdir()}


@pytest.mark.parametrize(
    ("does", "message"),
    [
        ("raise", r"in raise_\b.*ValueError: no such shape"),
        ("raise EOFError", r"EOFError: truncated images"),
        ("raise unpicklable", r"LocalError: of no module"),
        ("raise enormous", r"ValueError: xxx.*\[…\].*xxx and the end"),
        ("give nothing", r"training must give an Outcome, and gave None"),
        ("give unpicklable", r"pickle '_thread.lock' object"),
    ],
)
def test_an_exception_in_training_ends_the_evaluation_with_its_traceback(does, message, executor, children, answered):
    with pytest.raises(SearchError, match=rf"(?s)training failed in a worker:.*{message}") as caught:
        answered(executor, children(["finish"], [does], ["finish"]))
    assert len(str(caught.value)) < 30_000
    assert answered(executor, children(["finish"]))[0].status == "finished"


def test_a_child_of_an_evaluation_that_was_broken_off_does_not_answer_the_next_one(
    executor, children, answered, tmp_path
):
    slow, bad, *others = children(["wait"], ["raise"], ["finish"], ["finish"], ["finish"])
    with pytest.raises(SearchError, match="no such shape"):
        answered(executor, [slow, bad])
    (tmp_path / "go").touch()
    assert [outcome.n_examples for outcome in answered(executor, others)] == [2, 3, 4]


class Unreadable:
    """Something attached that cannot set out."""

    def __reduce__(self) -> tuple[object, ...]:
        raise FileNotFoundError("gone")


def test_what_cannot_be_sent_is_an_error_and_not_a_wait(executor, children, answered):
    good, bad = children(["finish"], ["finish"])
    with pytest.raises(FileNotFoundError, match="gone"):
        answered(executor, [good, dataclasses.replace(bad, attachments={"weights": Unreadable()})])
    assert answered(executor, [good])[0].status == "finished"
