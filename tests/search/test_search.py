"""Whatever interrupts a search, calling it again ends with what an undisturbed one gives."""

import gc
import hashlib
import random
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from pnas_search import (
    Candidate,
    ChildFinished,
    Event,
    Ledger,
    LedgerRow,
    Outcome,
    Progressive,
    Request,
    RoundStarted,
    SearchError,
    Strategy,
    child_seed,
    search,
)
from pnas_searchspace import Cell, CellSpace

SEED = 7
SIZES = (10, 4, 4)
N_CHILDREN = sum(SIZES)

Result = tuple[tuple[Cell, Outcome], list[LedgerRow]]


class Chaotic:
    """Whatever changes in what it is fitted to, or in the order of it, changes all that it predicts."""

    def fit(self, X: Sequence[NDArray[np.int64]], y: NDArray[np.float64]) -> None:
        self.fitted = repr(([x.tolist() for x in X], y.tolist()))

    def predict(self, X: NDArray[np.int64]) -> NDArray[np.float64]:
        digests = [hashlib.sha256(f"{self.fitted} {x}".encode()).hexdigest() for x in X.tolist()]
        return np.array([int(digest[:8], 16) / 2**32 for digest in digests])


class Interruption(BaseException):
    """As a KeyboardInterrupt, it is no Exception."""


class Trainer:
    """Trains at once; remembers what it was asked for, and may be interrupted at a child, or leave one out."""

    def __init__(
        self,
        outcome_of: Callable[[Request], Outcome],
        *,
        order: Callable[[list[Request]], Sequence[Request]] = list,
        interrupted_at: int | None = None,
        left_out: int | None = None,
    ) -> None:
        self.outcome_of, self.order = outcome_of, order
        self.interrupted_at, self.left_out = interrupted_at, left_out
        self.trained: list[str] = []

    def evaluate(self, requests: Sequence[Request]) -> Iterator[tuple[Request, Outcome]]:
        for request in self.order(list(requests)):
            if len(self.trained) == self.interrupted_at:
                raise Interruption
            self.trained.append(request.cell.key)
            if len(self.trained) - 1 != self.left_out:
                yield request, self.outcome_of(request)


class Watched:
    """A strategy that counts how often it is asked, and remembers what it is told."""

    def __init__(self, strategy: Progressive) -> None:
        self.strategy, self.best, self.predictions = strategy, strategy.best, strategy.predictions
        self.n_times_asked = 0
        self.told: list[tuple[Candidate, Outcome]] = []

    def ask(self) -> list[Candidate]:
        self.n_times_asked += 1
        return self.strategy.ask()

    def tell(self, candidates: Sequence[Candidate], outcomes: Sequence[Outcome]) -> None:
        self.told += zip(candidates, outcomes, strict=True)
        self.strategy.tell(candidates, outcomes)


@pytest.fixture(scope="session")
def outcome_of(accuracy_of: Callable[[Cell], float]) -> Callable[[Request], Outcome]:
    """One child in four fails; the others' accuracies depend on their cell and on their seed."""

    def outcome(request: Request) -> Outcome:
        if request.seed % 4 == 0:
            return Outcome(status="diverged", accuracy=None, accuracies=(), n_examples=3, seconds=0.5)
        accuracy = (accuracy_of(request.cell) + request.seed / 2**63) / 2
        return Outcome(status="finished", accuracy=accuracy, accuracies=(accuracy,), n_examples=9, seconds=1.0)

    return outcome


@pytest.fixture(scope="session")
def strategy(space: CellSpace) -> Callable[[], Progressive]:
    return lambda: Progressive(space, n_blocks=3, beam_size=4, make_predictor=lambda _: Chaotic())


@pytest.fixture(scope="session")
def undisturbed(
    strategy: Callable[[], Progressive],
    outcome_of: Callable[[Request], Outcome],
    tmp_path_factory: pytest.TempPathFactory,
) -> Result:
    """The result and the rows of a search that nothing interrupted."""
    with Ledger.create(tmp_path_factory.mktemp("run") / "ledger.sqlite", config={}, provenance={}) as ledger:
        return search(strategy(), Trainer(outcome_of), ledger, seed=SEED), ledger.rows()


def test_a_search_trains_every_round_and_gives_the_best_of_the_last(
    undisturbed: Result, outcome_of: Callable[[Request], Outcome]
) -> None:
    (cell, outcome), rows = undisturbed
    assert [[row.position for row in rows if row.round == index] for index in range(3)] == [
        list(range(size)) for size in SIZES
    ]
    for row in rows:
        assert len(row.candidate.cell) == row.round + 1
        assert row.request.seed == child_seed(SEED, row.candidate.cell)
        assert row.request.parent == row.candidate.parent
        assert row.outcome == outcome_of(row.request)
    assert {row.outcome.status for row in rows} == {"finished", "diverged"}
    last = [row for row in rows if row.round == 2 and row.outcome.status == "finished"]
    best = max(last, key=lambda row: row.outcome.accuracy)
    assert (cell, outcome) == (best.candidate.cell, best.outcome)


@pytest.mark.parametrize("index", range(N_CHILDREN))
def test_a_search_interrupted_at_any_child_ends_with_the_same_result(
    index: int,
    undisturbed: Result,
    strategy: Callable[[], Progressive],
    outcome_of: Callable[[Request], Outcome],
    tmp_path: Path,
) -> None:
    path = tmp_path / "ledger.sqlite"
    interrupted, resumed = Trainer(outcome_of, interrupted_at=index), Trainer(outcome_of)
    with Ledger.create(path, config={}, provenance={}) as ledger, pytest.raises(Interruption):
        search(strategy(), interrupted, ledger, seed=SEED)
    with Ledger.open(path) as ledger:
        assert (search(strategy(), resumed, ledger, seed=SEED), ledger.rows()) == undisturbed
    assert len(interrupted.trained) == index
    assert len({*interrupted.trained, *resumed.trained}) == len(interrupted.trained + resumed.trained) == N_CHILDREN


def test_a_search_interrupted_after_every_single_step_ends_with_the_same_result(
    undisturbed: Result, strategy: Callable[[], Progressive], outcome_of: Callable[[Request], Outcome], ledger: Ledger
) -> None:
    def interrupt(event: Event) -> None:
        if isinstance(event, ChildFinished):
            raise Interruption

    trainer = Trainer(outcome_of)
    for _ in range(N_CHILDREN):
        with pytest.raises(Interruption):
            search(strategy(), trainer, ledger, seed=SEED, on_event=interrupt)
    assert (search(strategy(), trainer, ledger, seed=SEED), ledger.rows()) == undisturbed
    assert len(trainer.trained) == N_CHILDREN


@pytest.mark.parametrize("seed", [None, 1, 2, 3])
def test_the_order_in_which_children_finish_makes_no_difference(
    seed: int | None,
    undisturbed: Result,
    strategy: Callable[[], Progressive],
    outcome_of: Callable[[Request], Outcome],
    ledger: Ledger,
) -> None:
    def order(requests: list[Request]) -> list[Request]:
        return requests[::-1] if seed is None else random.Random(seed).sample(requests, len(requests))

    trainer, watched = Trainer(outcome_of, order=order), Watched(strategy())
    assert (search(watched, trainer, ledger, seed=SEED), ledger.rows()) == undisturbed
    assert watched.told == [(row.candidate, row.outcome) for row in undisturbed[1]]
    assert trainer.trained != [row.candidate.cell.key for row in undisturbed[1]]


def test_a_strategy_is_not_asked_again_for_the_rounds_that_the_ledger_holds(
    undisturbed: Result, strategy: Callable[[], Progressive], outcome_of: Callable[[Request], Outcome], ledger: Ledger
) -> None:
    with pytest.raises(Interruption):
        search(strategy(), Trainer(outcome_of, interrupted_at=SIZES[0] + 1), ledger, seed=SEED)
    # The third round and the end are asked for; when the search has ended, the end alone.
    for n_times in (2, 1):
        watched = Watched(strategy())
        assert search(watched, Trainer(outcome_of), ledger, seed=SEED) == undisturbed[0]
        assert watched.n_times_asked == n_times


def test_events_tell_of_every_round_and_of_every_child_that_is_trained_now(
    undisturbed: Result, strategy: Callable[[], Progressive], outcome_of: Callable[[Request], Outcome], ledger: Ledger
) -> None:
    rows = undisturbed[1]
    n_before = SIZES[0] + 1
    events: list[Event] = []
    with pytest.raises(Interruption):
        search(strategy(), Trainer(outcome_of, interrupted_at=n_before), ledger, seed=SEED, on_event=events.append)
    search(strategy(), Trainer(outcome_of), ledger, seed=SEED, on_event=events.append)
    trained = [event for event in events if isinstance(event, ChildFinished)]
    assert trained == [ChildFinished(request=row.request, outcome=row.outcome) for row in rows]
    rounds = [event for event in events if isinstance(event, RoundStarted)]
    assert [(event.index, len(event.rows), sum(r.outcome is not None for r in event.rows)) for event in rounds] == [
        (0, 10, 0),
        (1, 4, 0),
        (0, 10, 10),
        (1, 4, 1),
        (2, 4, 0),
    ]
    assert events.index(trained[n_before - 1]) < events.index(rounds[2]) < events.index(trained[n_before])


def test_an_outcome_is_committed_before_anybody_is_told(
    strategy: Callable[[], Progressive], outcome_of: Callable[[Request], Outcome], ledger: Ledger, tmp_path: Path
) -> None:
    n_committed: list[int] = []
    with Ledger.read(tmp_path / "ledger.sqlite") as reader:

        def look(event: Event) -> None:
            if isinstance(event, ChildFinished):
                n_committed.append(sum(row.outcome is not None for row in reader.rows()))

        search(strategy(), Trainer(outcome_of), ledger, seed=SEED, on_event=look)
    assert n_committed == list(range(1, N_CHILDREN + 1))


def test_an_evaluator_that_leaves_out_a_child_is_found_out_and_the_search_can_go_on(
    undisturbed: Result, strategy: Callable[[], Progressive], outcome_of: Callable[[Request], Outcome], ledger: Ledger
) -> None:
    with pytest.raises(SearchError, match="the evaluator left out 1 of 4 children"):
        search(strategy(), Trainer(outcome_of, left_out=SIZES[0] + 2), ledger, seed=SEED)
    assert (search(strategy(), Trainer(outcome_of), ledger, seed=SEED), ledger.rows()) == undisturbed


def test_a_strategy_that_asks_for_nothing_has_no_best_cell(
    outcome_of: Callable[[Request], Outcome], ledger: Ledger
) -> None:
    class Silent(Strategy):
        def ask(self) -> list[Candidate]:
            return []

        def tell(self, candidates: Sequence[Candidate], outcomes: Sequence[Outcome]) -> None:
            raise AssertionError("there was nothing to tell")

        def best(self) -> None:
            return None

    with pytest.raises(SearchError, match="there is no best cell: the strategy asked for none"):
        search(Silent(), Trainer(outcome_of), ledger, seed=SEED)


def test_a_ledger_of_another_seed_is_refused(
    strategy: Callable[[], Progressive], outcome_of: Callable[[Request], Outcome], ledger: Ledger
) -> None:
    with pytest.raises(Interruption):
        search(strategy(), Trainer(outcome_of, interrupted_at=3), ledger, seed=SEED)
    before = ledger.rows()
    with pytest.raises(SearchError, match="another seed than 8"):
        search(strategy(), Trainer(outcome_of), ledger, seed=SEED + 1)
    assert ledger.rows() == before


def test_a_cell_that_is_not_in_canonical_form_is_refused(
    strategy: Callable[[], Progressive], outcome_of: Callable[[Request], Outcome], ledger: Ledger
) -> None:
    swapped = Cell([[-1, "pool", -2, "conv"]])

    class Careless(Watched):
        def ask(self) -> list[Candidate]:
            return [Candidate(cell=swapped)]

    with pytest.raises(SearchError, match=r"pool@-1\+conv@-2"):
        search(Careless(strategy()), Trainer(outcome_of), ledger, seed=SEED)
    assert ledger.rows() == []


@pytest.mark.parametrize("is_enabled", [True, False])
def test_a_replay_leaves_the_garbage_collector_as_it_was(
    is_enabled: bool,
    strategy: Callable[[], Progressive],
    outcome_of: Callable[[Request], Outcome],
    ledger: Ledger,
) -> None:
    search(strategy(), Trainer(outcome_of), ledger, seed=SEED)
    was_enabled = gc.isenabled()
    (gc.enable if is_enabled else gc.disable)()
    try:
        search(strategy(), Trainer(outcome_of), ledger, seed=SEED)
        assert gc.isenabled() == is_enabled
    finally:
        (gc.enable if was_enabled else gc.disable)()
