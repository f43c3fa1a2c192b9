"""Evaluators that break a law are found out by the suite."""

import random

import pytest

from pnas_search import BenchmarkEvaluator, Evaluator, Outcome, Started, load_benchmark
from pnas_search.testing import EvaluatorSuite


class TestBenchmarkEvaluator(EvaluatorSuite):
    @pytest.fixture
    def evaluator(self):
        return BenchmarkEvaluator(load_benchmark("micro-digits"))


def outcome_of(request, **changes):
    values = {"status": "finished", "accuracy": 1 / (1 + request.seed), "accuracies": (), "n_examples": 10}
    return Outcome(**{**values, "seconds": random.random(), **changes})


class Lawful(Evaluator):
    def evaluate(self, requests):
        for request in requests:
            yield Started(request=request, worker="me")
            yield request, outcome_of(request)


class Silent(Evaluator):
    """Tells nobody that it has begun, which it need not."""

    def evaluate(self, requests):
        return iter([(request, outcome_of(request)) for request in requests])


class Talkative(Lawful):
    def evaluate(self, requests):
        yield from super().evaluate(requests or EvaluatorSuite().requests()[:1])


class Forgetful(Lawful):
    def evaluate(self, requests):
        yield from super().evaluate(requests[:-1])


class Repetitive(Lawful):
    def evaluate(self, requests):
        for report in super().evaluate(requests):
            yield report
            yield report


class Restless(Evaluator):
    """Says otherwise every time."""

    def evaluate(self, requests):
        yield from ((request, outcome_of(request, accuracy=random.random())) for request in requests)


class Serial(Evaluator):
    """Numbers the children of an evaluation."""

    def evaluate(self, requests):
        yield from ((request, outcome_of(request, n_examples=index)) for index, request in enumerate(requests))


class Counting(Evaluator):
    """Says how many children there are."""

    def evaluate(self, requests):
        yield from ((request, outcome_of(request, n_examples=len(requests))) for request in requests)


class Leftovers(Evaluator):
    """Answers what is left from an earlier evaluation first."""

    def __init__(self):
        self._waiting = []

    def evaluate(self, requests):
        self._waiting.extend(requests)
        while self._waiting:
            request = self._waiting.pop(0)
            yield request, outcome_of(request)


class Late(Evaluator):
    def evaluate(self, requests):
        for request in requests:
            yield request, outcome_of(request)
            yield Started(request=request, worker="me")


class Nobody(Evaluator):
    def evaluate(self, requests):
        for request in requests:
            yield Started(request=request, worker="")
            yield request, outcome_of(request)


class Vague(Evaluator):
    def evaluate(self, requests):
        yield from ((request, 0.5) for request in requests)


def check(make, law):
    getattr(EvaluatorSuite(), law)(make())


@pytest.mark.parametrize("law", [name for name in vars(EvaluatorSuite) if name.startswith("test_")])
@pytest.mark.parametrize("make", [Lawful, Silent])
def test_an_evaluator_that_keeps_the_laws_passes(make, law):
    check(make, law)


@pytest.mark.parametrize(
    ("make", "law"),
    [
        (Talkative, "test_whoever_asks_for_nothing_is_told_nothing"),
        (Forgetful, "test_every_request_is_answered_once_with_an_outcome"),
        (Repetitive, "test_every_request_is_answered_once_with_an_outcome"),
        (Vague, "test_every_request_is_answered_once_with_an_outcome"),
        (Restless, "test_the_same_requests_have_the_same_outcomes_again"),
        (Serial, "test_an_outcome_does_not_depend_on_the_order"),
        (Counting, "test_an_outcome_does_not_depend_on_the_other_requests"),
        (Leftovers, "test_an_evaluation_that_is_broken_off_does_not_answer_the_next_one"),
        (Late, "test_a_child_is_told_to_have_begun_before_its_outcome_and_not_after"),
        (Nobody, "test_a_child_is_told_to_have_begun_before_its_outcome_and_not_after"),
    ],
)
def test_an_evaluator_that_breaks_a_law_is_found(make, law):
    with pytest.raises(AssertionError):
        check(make, law)
