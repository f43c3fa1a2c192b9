from pathlib import Path

import pytest

from pnas_search import Candidate, Ledger, Outcome, Request
from pnas_searchspace import CellSpace
from pnas_tools._config import PRESETS
from pnas_tools._display import _watch, _workload
from pnas_tools._display._watch import look, watched
from pnas_tools._errors import BadInput
from pnas_tools._files import write_json_atomically
from pnas_tools._run_folder import RunFolder

CONFIG = PRESETS["quick"]
REQUESTS = [
    Request(cell=cell, seed=seed, parent=None)
    for seed, cell in enumerate(CellSpace().to_cells(CellSpace().one_block_cells()))
]


def finished(accuracy: float) -> Outcome:
    return Outcome(status="finished", accuracy=accuracy, accuracies=(accuracy,), n_examples=100, seconds=1.0)


def begun(folder: Path, **settings: object) -> Ledger:
    """A search whose first level has been asked for."""
    ledger = Ledger.create(folder / "ledger.sqlite", config=CONFIG.as_json() | settings, provenance={})
    ledger.add_round(0, [Candidate(cell=request.cell) for request in REQUESTS], REQUESTS, None)
    return ledger


def test_a_search_is_watched_until_it_is_finished(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_watch, "_SECONDS_BETWEEN_LOOKS", 0.01)
    monkeypatch.setattr(_workload, "_SECONDS_OF_A_PACE", 0.01)
    with begun(tmp_path) as ledger:
        looks = watched(RunFolder(tmp_path))
        status, snapshot = next(looks)
        assert (status["n_finished"], snapshot.n_done, snapshot.n_planned) == (0, 0, 136 + 2 * 16)
        for request in REQUESTS[:34]:
            ledger.record(request, finished(0.5))
        status, snapshot = next(looks)
        assert (status["n_finished"], snapshot.n_done) == (34, 34)
        assert snapshot.best == (REQUESTS[0].cell, 0.5)
        assert snapshot.seconds_left is not None
        found = {"best_cell": REQUESTS[0].cell, "best_accuracy": 0.5, "n_models": 34, "n_examples": 3400}
        write_json_atomically(tmp_path / "result.json", found | {"levels": [], "config": CONFIG.as_json()})
        assert [status["finished"] for status, _ in looks] == [True]


def test_a_folder_in_which_nothing_has_begun_yet_shows_nothing(tmp_path: Path) -> None:
    (tmp_path / ".lock").touch()
    status, snapshot = look(RunFolder(tmp_path))
    assert (status["finished"], list(snapshot.levels)) == (False, [])


def test_a_run_of_a_later_version_is_refused_with_the_way_out(tmp_path: Path) -> None:
    begun(tmp_path, mood="good").close()
    with pytest.raises(BadInput, match="the setting 'mood', which this version of pnas-tools does not know"):
        look(RunFolder(tmp_path))
