"""What the search itself costs: its loop at the paper's size, and a ledger of 100,000 children."""

import random
import resource
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import replace

import pytest

from pnas_search import (
    Ledger,
    Outcome,
    Progressive,
    Random,
    Request,
    search,
)
from pnas_searchspace import CellSpace
from pnas_tools._config import PRESETS
from pnas_tools._run_folder import RunFolder
from pnas_tools._status import read_status
from pnas_tools._surrogate import load_surrogate, surrogate_factory

N_CHILDREN = 100_000
ROUND_SIZE = 64
SPACE = CellSpace()


def outcome(request: Request) -> Outcome:
    """One of 20 epochs."""
    accuracies = [random.Random(request.seed + epoch).random() for epoch in range(20)]
    about = {"n_parameters": 1e6, "multiply_adds": 2e7}
    return Outcome(
        status="finished",
        accuracy=accuracies[-1],
        accuracies=tuple(accuracies),
        n_examples=900_000,
        seconds=1.0,
        measurements=about,
    )


class AtOnce:
    """Answers at once."""

    def evaluate(self, requests: Sequence[Request]) -> Iterator[tuple[Request, Outcome]]:
        return ((request, outcome(request)) for request in requests)


@pytest.mark.parametrize("beam_size", [64, 128, 256])
@pytest.mark.benchmark(group="a search of five blocks whose children are trained in no time, by K")
def test_loop(benchmark, beam_size, tmp_path):
    config = replace(PRESETS["paper"], beam_size=beam_size)
    load_surrogate()

    def run():
        path = tmp_path / "ledger.sqlite"
        for file in tmp_path.iterdir():
            file.unlink()
        strategy = Progressive(SPACE, n_blocks=5, beam_size=beam_size, make_predictor=surrogate_factory(config, SPACE))
        with Ledger.create(path, config={}, provenance={}) as ledger:
            search(strategy, AtOnce(), ledger, seed=0)
            assert len(ledger.rows()) == 136 + 4 * beam_size

    benchmark.pedantic(run, rounds=1)
    benchmark.extra_info["peak_memory_mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    """That of a search whose ledger holds 100,000 children."""
    folder = RunFolder(tmp_path_factory.mktemp("large"))
    strategy = Random(SPACE, n_blocks=5, n_models=N_CHILDREN, round_size=ROUND_SIZE, seed=0)
    with Ledger.create(folder.ledger, config={"strategy": "random"}, provenance={}) as ledger:
        ledger._connection.execute("PRAGMA synchronous = OFF")
        search(strategy, AtOnce(), ledger, seed=0)
    return folder


@pytest.mark.benchmark(group="status of 100,000 children")
@pytest.mark.parametrize("way", ["ours", "all rows"])
def test_status(benchmark, way, run):
    def all_rows():
        with Ledger.read(run.ledger) as ledger:
            rows = ledger.rows()
        return {"n_finished": sum(row.outcome is not None and row.outcome.status == "finished" for row in rows)}

    status = benchmark.pedantic(lambda: read_status(run) if way == "ours" else all_rows(), rounds=3)
    assert status["n_finished"] == N_CHILDREN


class AtItsEnd(BaseException):
    """The search would train now."""


class Never:
    """Is not asked while a search replays."""

    def evaluate(self, requests: Sequence[Request]) -> Iterator[tuple[Request, Outcome]]:
        raise AtItsEnd


@pytest.mark.benchmark(group="going on after 100,000 children")
@pytest.mark.parametrize("way", ["ours", "reading the file"])
def test_resume(benchmark, way, run):
    def resume():
        strategy = Random(SPACE, n_blocks=5, n_models=N_CHILDREN, round_size=ROUND_SIZE, seed=0)
        with Ledger.open(run.ledger) as ledger:
            assert search(strategy, Never(), ledger, seed=0)[1].accuracy is not None

    def read():
        with closing(sqlite3.connect(run.ledger)) as connection:
            rows = connection.execute("SELECT * FROM child JOIN outcome ON child.id = child").fetchall()
        assert len(rows) == N_CHILDREN

    benchmark.pedantic(resume if way == "ours" else read, rounds=3)
