from pathlib import Path

import pytest

from pnas_search import Candidate, Ledger, Outcome, Request
from pnas_searchspace import Cell
from pnas_tools._config import PRESETS
from pnas_tools._run_folder import RunFolder

CELLS = [Cell([[-2, name, -1, "identity"]]) for name in ("avg_pool_3x3", "max_pool_3x3", "sep_conv_3x3")]
OUTCOMES = [
    Outcome(status="finished", accuracy=0.5, accuracies=(0.25, 0.5), n_examples=10, seconds=1.5),
    Outcome(status="crashed", accuracy=None, accuracies=(), n_examples=4, seconds=0.5, message="it ran away"),
    Outcome(status="stopped", accuracy=0.25, accuracies=(0.125,), n_examples=5, seconds=1.0),
]


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    """The folder of a search of three children: one that finished, one that crashed, and one that was stopped."""
    folder = RunFolder(tmp_path / "runs" / "one")
    folder.path.mkdir(parents=True)
    provenance = {"git_revision": "abc", "python": "3.11", "platform": "Linux", "versions": {"numpy": "2.0"}}
    folder.config.write_text("{}\n")
    with Ledger.create(folder.ledger, config=PRESETS["quick"].as_json(), provenance=provenance) as ledger:
        requests = [Request(cell=cell.canonical(), seed=7, parent=None) for cell in CELLS]
        ledger.add_round(0, [Candidate(cell=request.cell, predicted=0.75) for request in requests], requests)
        for request, outcome in zip(requests, OUTCOMES, strict=True):
            ledger.start(request, "the first worker")
            ledger.record(request, outcome)
    return folder
