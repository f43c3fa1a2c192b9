"""A recorded step has one thread, and NumPy is as it was afterwards."""

from concurrent.futures import ThreadPoolExecutor

import pytest
import torch
from threadpoolctl import ThreadpoolController, threadpool_limits

from pnas_trainer import TrainConfig, train
from pnas_trainer._cpu._program import _products, _replay

CONTROLLER = ThreadpoolController()


def n_threads() -> set[int]:
    return {library["num_threads"] for library in CONTROLLER.info() if library["user_api"] == "blas"}


pytestmark = pytest.mark.skipif(not n_threads(), reason="NumPy's products are none that threadpoolctl knows")


@pytest.fixture(autouse=True)
def products_by_numpy(monkeypatch):
    monkeypatch.setattr(_products, "is_by_torch", lambda: False)


@pytest.fixture
def seen(one_thread, monkeypatch) -> list[set[int]]:
    """How many threads products had in every replay."""
    seen, run = [], _replay._run
    monkeypatch.setattr(_replay, "_run", lambda calls: run([*calls, lambda: seen.append(n_threads())]))
    return seen


def test_a_training_does_not_depend_on_how_many_threads_products_have_and_leaves_the_number_as_it_was(
    digits, recordable, seen
):
    def weights(outer: int) -> list[torch.Tensor]:
        with threadpool_limits(outer, user_api="blas"):
            result = train(recordable, digits, TrainConfig(n_epochs=1), seed=0, keep_weights=True)
            assert n_threads() == {outer}
        return list(result.weights.values())

    assert all(torch.equal(a, b) for a, b in zip(weights(1), weights(2), strict=True))
    assert len(seen) > 20
    assert all(n == {1} for n in seen)


def test_several_trainings_at_once_have_one_thread_each_and_leave_the_number_as_it_was(digits, recordable, seen):
    before = n_threads()
    with ThreadPoolExecutor(2) as pool:
        for _ in range(3):
            list(pool.map(lambda seed: train(recordable, digits, TrainConfig(n_epochs=1), seed=seed), range(2)))
    assert all(n == {1} for n in seen)
    assert n_threads() == before


def test_what_fails_puts_the_number_back():
    def fail() -> None:
        assert n_threads() == {1}
        raise KeyError

    with threadpool_limits(2, user_api="blas"):
        with pytest.raises(KeyError):
            _replay._run([fail])
        assert n_threads() == {2}


def test_a_training_that_diverges_does_not_warn_on_the_way(digits, recordable, seen):
    config = TrainConfig(n_epochs=1, learning_rate=1e20, max_gradient_norm=None)
    assert train(recordable, digits, config, seed=0).status == "diverged"
    assert seen
