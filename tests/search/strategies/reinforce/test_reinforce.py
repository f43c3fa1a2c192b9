"""The search by a policy: what it asks for, what it learns from, and that it learns."""

import itertools
import subprocess
import sys
from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from pnas_search import Candidate, Outcome, Reinforce, ReinforceConfig, SearchError
from pnas_search.testing import StrategySuite
from pnas_searchspace import Cell, CellSpace

torch = pytest.importorskip("torch")

Score = Callable[[Cell], float]
SMALL = ReinforceConfig(hidden_size=16, embedding_size=8)


def make(space: CellSpace, **values: object) -> Reinforce:
    settings = {"n_blocks": 2, "n_models": 44, "round_size": 8, "seed": 0, "config": SMALL, **values}
    return Reinforce(space, **settings)


def play(strategy: Reinforce, outcome_of: Callable[[Cell], Outcome]) -> list[list[Candidate]]:
    """All rounds of a strategy, each told before the next is asked for."""
    rounds = []
    while candidates := strategy.ask():
        strategy.tell(candidates, [outcome_of(candidate.cell) for candidate in candidates])
        rounds.append(candidates)
        assert len(rounds) <= 100
    return rounds


class TestPPO(StrategySuite):
    n_models = 44
    round_size = 8
    beats_random = True
    algorithm = "ppo"

    def make(self, space, seed):
        config = ReinforceConfig(hidden_size=16, embedding_size=8, learning_rate=0.03)
        return make(space, seed=seed, algorithm=self.algorithm, config=config)


class TestREINFORCE(TestPPO):
    algorithm = "reinforce"


@pytest.fixture
def outcome_of(accuracy_of: Score, finished: Callable[[float], Outcome]) -> Callable[[Cell], Outcome]:
    return lambda cell: finished(accuracy_of(cell))


@pytest.fixture
def lessons(monkeypatch: pytest.MonkeyPatch) -> list[tuple[NDArray[np.int64], NDArray[np.float64]]]:
    """What policies were told to learn from."""
    from pnas_search._strategies._reinforce._agent import Agent

    told = []
    learn = Agent.learn

    def spy(self, tokens, rewards):
        told.append((tokens, rewards))
        learn(self, tokens, rewards)

    monkeypatch.setattr(Agent, "learn", spy)
    return told


@pytest.mark.parametrize("algorithm", ["ppo", "reinforce"])
def test_every_cell_is_canonical_and_comes_once_until_the_models_are_used_up(
    algorithm: str, space: CellSpace, outcome_of: Callable[[Cell], Outcome]
) -> None:
    rounds = play(make(space, algorithm=algorithm), outcome_of)
    assert [len(candidates) for candidates in rounds] == [8, 8, 8, 8, 8, 4]
    cells = [candidate.cell for candidate in itertools.chain(*rounds)]
    assert len({cell.key for cell in cells}) == 44
    assert all(str(cell) == cell.key and len(cell) == 2 for cell in cells)


def test_a_space_may_have_fewer_cells_than_models(space: CellSpace, outcome_of: Callable[[Cell], Outcome]) -> None:
    rounds = play(make(space, n_blocks=1), outcome_of)
    assert {candidate.cell for candidate in itertools.chain(*rounds)} == set(space.to_cells(space.one_block_cells()))


@pytest.mark.parametrize("algorithm", ["ppo", "reinforce"])
def test_a_new_strategy_that_is_told_what_was_goes_on_as_the_old_one(
    algorithm: str, space: CellSpace, outcome_of: Callable[[Cell], Outcome]
) -> None:
    rounds = play(make(space, algorithm=algorithm), outcome_of)
    resumed = make(space, algorithm=algorithm)
    for candidates in rounds[:3]:
        resumed.tell(candidates, [outcome_of(candidate.cell) for candidate in candidates])
    assert resumed.ask() == resumed.ask() == rounds[3]
    assert play(resumed, outcome_of) == rounds[3:]


def test_the_search_is_that_of_its_seed_whatever_pytorch_draws_and_however_many_threads_it_has(
    space: CellSpace, outcome_of: Callable[[Cell], Outcome]
) -> None:
    n_threads, state = torch.get_num_threads(), torch.random.get_rng_state()
    searches = []
    for threads in (1, 2):
        torch.set_num_threads(threads)
        torch.manual_seed(threads)
        searches.append(play(make(space), outcome_of))
    torch.set_num_threads(n_threads)
    torch.random.set_rng_state(state)
    assert searches[0] == searches[1] != play(make(space, seed=1), outcome_of)


def test_outcomes_decide_what_is_asked_for(space: CellSpace, accuracy_of: Score, outcome_of, finished) -> None:
    config = ReinforceConfig(hidden_size=16, embedding_size=8, learning_rate=0.1)
    one = play(make(space, config=config), outcome_of)
    other = play(make(space, config=config), lambda cell: finished(1 - accuracy_of(cell)))
    assert one[0] == other[0]
    assert one[1:] != other[1:]


def test_a_policy_learns_from_every_spelling_that_it_drew_with_the_reward_of_its_cell(
    space: CellSpace, accuracy_of: Score, finished, failed: Outcome, lessons
) -> None:
    def outcome_of(cell: Cell) -> Outcome:
        return failed if accuracy_of(cell) < 0.3 else finished(accuracy_of(cell))

    # 10 cells are drawn in 16 spellings, so that many come again.
    rounds = play(make(space, n_blocks=1, n_models=9, round_size=3), outcome_of)
    seen: set[Cell] = set()
    n_again = 0
    for (tokens, rewards), candidates in zip(lessons, rounds, strict=True):
        cells = space.to_cells(space.canonical(space.decode(tokens)))
        assert rewards.tolist() == [outcome_of(cell).accuracy or 0.0 for cell in cells]
        assert set(cells) <= seen | {candidate.cell for candidate in candidates}
        n_again += sum(cell in seen for cell in cells)
        seen |= {candidate.cell for candidate in candidates}
    assert n_again > 0
    assert 0.0 in np.concatenate([rewards for _, rewards in lessons])


def test_cells_that_are_not_allowed_are_not_asked_for_and_worth_nothing(space: CellSpace, outcome_of, lessons) -> None:
    def allowed(cells: NDArray[np.int64]) -> NDArray[np.bool_]:
        return (cells[:, :, 1::2] == 0).sum((1, 2)) >= 2

    rounds = play(make(space, allowed=allowed), outcome_of)
    cells = [candidate.cell for candidate in itertools.chain(*rounds)]
    assert len(cells) == 44
    assert allowed(space.to_array(cells)).all()
    tokens = np.concatenate([tokens for tokens, _ in lessons])
    rewards = np.concatenate([rewards for _, rewards in lessons])
    is_allowed = allowed(space.canonical(space.decode(tokens)))
    assert 0 < is_allowed.sum() < len(is_allowed)
    assert ((rewards > 0) == is_allowed).all()


def test_where_the_policy_draws_too_little_that_is_new_random_cells_fill_the_round(
    space: CellSpace, outcome_of, lessons, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = ReinforceConfig(hidden_size=4, embedding_size=4, draws_per_child=3)
    strategy = make(space, n_blocks=1, round_size=9, config=config)
    always = [0, 0, 1, 1]
    monkeypatch.setattr(strategy._agent, "sample", lambda uniforms: np.array([always] * len(uniforms)))
    (drawn,) = space.to_cells(space.canonical(space.decode([always])))
    first, second = play(strategy, outcome_of)
    assert first[0].cell == drawn
    # There are ten cells.
    assert (len(first), len(second)) == (9, 1)
    assert len({candidate.cell for candidate in [*first, *second]}) == 10
    for tokens, rewards in lessons:
        assert tokens.tolist() == [always] * 27
        assert rewards.tolist() == [outcome_of(drawn).accuracy] * 27


@pytest.mark.parametrize(
    ("algorithm", "n_models", "config"),
    [("ppo", 400, ReinforceConfig()), ("reinforce", 800, ReinforceConfig(learning_rate=1e-3))],
)
def test_a_policy_learns_which_operation_is_good(
    algorithm: str, n_models: int, config: ReinforceConfig, finished: Callable[[float], Outcome]
) -> None:
    space = CellSpace(("conv", "identity", "pool"))

    def share(cell: Cell) -> float:
        return sum((block[1] == "conv") + (block[3] == "conv") for block in cell) / (2 * len(cell))

    for seed in range(3):
        strategy = Reinforce(
            space, n_blocks=4, n_models=n_models, round_size=20, seed=seed, algorithm=algorithm, config=config
        )
        means = [np.mean([share(c.cell) for c in asked]) for asked in play(strategy, lambda c: finished(share(c)))]
        assert abs(np.mean(means[:2]) - 1 / 3) < 0.1
        assert np.mean(means[-2:]) > 0.6
        assert strategy.best()[1] == finished(1.0)


def test_a_round_of_another_search_is_refused(space: CellSpace, outcome_of: Callable[[Cell], Outcome]) -> None:
    first, *_ = play(make(space, seed=1), outcome_of)
    with pytest.raises(SearchError, match="the ledger is that of another search: after 0 children it has others"):
        make(space).tell(first, [outcome_of(candidate.cell) for candidate in first])
    strategy = make(space)
    asked = strategy.ask()
    with pytest.raises(SearchError, match="the ledger is that of another search"):
        strategy.tell(asked[:-1], [outcome_of(candidate.cell) for candidate in asked[:-1]])


def test_an_algorithm_must_be_one_of_two(space: CellSpace) -> None:
    with pytest.raises(SearchError, match=r"^algorithm must be one of ppo, reinforce, not 'dqn'$"):
        make(space, algorithm="dqn")


def test_without_pytorch_a_sentence_says_what_to_install(space: CellSpace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(SearchError, match=r"pip install pnas-search\[reinforce\]$"):
        make(space)


def test_the_package_is_imported_without_pytorch() -> None:
    code = "import sys, pnas_search; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
