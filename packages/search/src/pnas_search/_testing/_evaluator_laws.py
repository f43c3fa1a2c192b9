from collections.abc import Iterable, Sequence

from pnas_search._evaluation import Evaluator, Outcome, Report, Request, Started
from pnas_searchspace import CellSpace


class EvaluatorSuite:
    """Tests of one evaluator, which a fixture gives.

        @pytest.fixture(scope="module")
        def evaluator():
            with MyEvaluator() as evaluator:
                yield evaluator

        class TestMine(EvaluatorSuite):
            pass

    It trains about sixty children, so make one that trains quickly.
    """

    def requests(self) -> list[Request]:
        """Children to be trained, four or more, no two alike; by default of one block over the usual operations."""
        space = CellSpace()
        cells = space.to_cells(space.one_block_cells()[::20])
        return [Request(cell=cell, seed=seed, parent=None) for seed, cell in enumerate(cells)]

    def test_whoever_asks_for_nothing_is_told_nothing(self, evaluator: Evaluator) -> None:
        assert list(evaluator.evaluate([])) == []

    def test_every_request_is_answered_once_with_an_outcome(self, evaluator: Evaluator) -> None:
        for n_requests in (1, len(self.requests())):
            self.outcomes(evaluator, self.requests()[:n_requests])

    def test_the_same_requests_have_the_same_outcomes_again(self, evaluator: Evaluator) -> None:
        first = self.outcomes(evaluator, self.requests())
        self.check_same(self.outcomes(evaluator, self.requests()), first)

    def test_an_outcome_does_not_depend_on_the_order(self, evaluator: Evaluator) -> None:
        backwards = self.outcomes(evaluator, self.requests()[::-1])[::-1]
        self.check_same(backwards, self.outcomes(evaluator, self.requests()))

    def test_an_outcome_does_not_depend_on_the_other_requests(self, evaluator: Evaluator) -> None:
        alone = [self.outcomes(evaluator, [request])[0] for request in self.requests()]
        self.check_same(alone, self.outcomes(evaluator, self.requests()))

    def test_an_evaluation_that_is_broken_off_does_not_answer_the_next_one(self, evaluator: Evaluator) -> None:
        some, others = self.requests()[:-2], self.requests()[-2:]
        expected = self.outcomes(evaluator, others)
        for n_reports in (1, 2):
            reports = iter(evaluator.evaluate(some))
            for _ in range(n_reports):
                next(reports)
            self.check_same(self.outcomes(evaluator, others), expected)

    def test_a_child_is_told_to_have_begun_before_its_outcome_and_not_after(self, evaluator: Evaluator) -> None:
        unanswered = self.requests()
        for report in evaluator.evaluate(self.requests()):
            if isinstance(report, Started):
                assert report.request in unanswered, f"this has an outcome, or was not asked for: {report.request}"
                assert report.worker, f"it is not said who trains {report.request}"
            else:
                unanswered.remove(report[0])

    def outcomes(self, evaluator: Evaluator, requests: Sequence[Request]) -> list[Outcome]:
        """Of the requests, in their order."""
        answers = _answers(evaluator.evaluate(requests))
        given = [request for request, _ in answers]
        assert all(given.count(request) == 1 for request in requests), f"not every request is answered once: {given}"
        assert len(given) == len(requests), f"there are answers that nobody asked for: {given}"
        assert all(isinstance(outcome, Outcome) for _, outcome in answers), f"these are no outcomes: {answers}"
        return [answers[given.index(request)][1] for request in requests]

    def check_same(self, outcomes: Sequence[Outcome], expected: Sequence[Outcome]) -> None:
        """The outcomes are the same, but for what clocks and workers have to do with it."""
        for outcome, other in zip(outcomes, expected, strict=True):
            assert _of_the_child(outcome) == _of_the_child(other), f"once this was {outcome}, and once {other}"


def _answers(reports: Iterable[Report]) -> list[tuple[Request, Outcome]]:
    return [report for report in reports if not isinstance(report, Started)]


def _of_the_child(outcome: Outcome) -> tuple[object, ...]:
    return outcome.status, outcome.accuracy, outcome.accuracies, outcome.n_examples
