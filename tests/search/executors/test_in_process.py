import os

import pytest

from pnas_search import InProcess, SearchError, Started
from pnas_search.testing import EvaluatorSuite


@pytest.fixture(scope="module")
def evaluator(workers):
    with InProcess(workers.make_training) as evaluator:
        yield evaluator


class TestInProcess(EvaluatorSuite):
    pass


def test_it_trains_here_in_order_each_as_it_is_asked_for(workers, children, n_attempts):
    requests = children(*[["finish"]] * 3)
    with InProcess(workers.make_training) as evaluator:
        reports = evaluator.evaluate(requests)
        for index, request in enumerate(requests):
            begun = next(reports)
            assert begun == Started(request=request, worker=begun.worker)
            assert begun.worker.startswith(f"process {os.getpid()} on ")
            assert len(n_attempts()) == index
            answered, outcome = next(reports)
            assert answered is request
            assert outcome.measurements["pid"] == os.getpid()


def test_a_child_that_runs_out_of_memory_has_an_outcome(workers, children, answered):
    with InProcess(workers.make_training) as evaluator:
        full, finished = answered(evaluator, children(["run out of memory"], ["finish"]))
    assert (full.status, full.accuracy) == ("out_of_memory", None)
    assert full.message == "there was too little memory: Unable to allocate 3.00 TiB"
    assert finished.status == "finished"


def test_an_exception_in_training_is_raised_with_its_traceback(workers, children, answered):
    message = r"(?s)training failed:\nTraceback.*in raise_\b.*ValueError: no such shape"
    with InProcess(workers.make_training) as evaluator, pytest.raises(SearchError, match=message):
        answered(evaluator, children(["finish"], ["raise"]))


def test_what_cannot_begin_says_why(workers):
    with pytest.raises(SearchError, match="RuntimeError: no device to train on"), InProcess(workers.make_nothing):
        pass


def test_it_works_only_inside_of_its_with_statement(workers, children, answered):
    evaluator = InProcess(workers.make_training)
    for _ in range(2):
        with pytest.raises(SearchError, match="use this in a `with` statement"):
            answered(evaluator, children(["finish"]))
        with evaluator:
            assert answered(evaluator, children(["finish"]))[0].status == "finished"
