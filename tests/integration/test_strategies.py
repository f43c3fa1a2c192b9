"""Every strategy searches, is killed, goes on, and ends with the same result."""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pnas_search import Ledger
from pnas_tools._run_folder import RunFolder
from pnas_tools._status import read_status
from pnas_tools._strategy_names import STRATEGIES

Run = Callable[..., subprocess.CompletedProcess[str]]
ON_BENCHMARK = ("--evaluator", "benchmark:micro-digits", "--blocks", "3", "--beam", "20", "--no-track")


@pytest.fixture
def search(run: Run) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Searches a benchmark in a folder."""

    def call(out: Path, *options: str) -> subprocess.CompletedProcess[str]:
        return run(command(out, *options))

    return call


def command(out: Path, *options: str) -> list[str]:
    return [sys.executable, "-m", "pnas_tools", "search", *ON_BENCHMARK, "--out", str(out), *options]


def found(out: Path) -> dict[str, Any]:
    result: dict[str, Any] = json.loads((out / "result.json").read_text())
    del result["provenance"]  # somebody may have saved a file of the project meanwhile
    return result


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_every_strategy_trains_its_budget_and_ends_alike_when_it_was_killed(
    strategy: str, search: Callable[..., subprocess.CompletedProcess[str]], tmp_path: Path
) -> None:
    undisturbed, out = tmp_path / "undisturbed", tmp_path / "run"
    options = "--strategy", strategy, "--models", "170"
    done = search(undisturbed, *options)
    assert done.returncode == 0, done.stderr
    status = read_status(RunFolder(undisturbed))
    assert (status["n_finished"], status["strategy"], status["finished"]) == (170, strategy, True)
    with subprocess.Popen(command(out, *options), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        deadline = time.monotonic() + 120
        while not (out.is_dir() and read_status(RunFolder(out))["n_finished"]) and process.poll() is None:
            assert time.monotonic() < deadline, "no child was finished in two minutes"
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
    assert search(out, *options).returncode == 0
    result = found(out)
    assert result == found(undisturbed)
    assert [level["n_blocks"] for level in result["levels"]] == ([1, 2, 3] if strategy == "progressive" else [3])


def test_progressive_goes_beyond_the_paper_in_all_respects_at_once(
    search: Callable[..., subprocess.CompletedProcess[str]], tmp_path: Path
) -> None:
    prior = tmp_path / "prior"
    assert search(prior, "--seed", "1").returncode == 0
    out = tmp_path / "run"
    beyond = ("--acquisition", "ucb", "--exploration", "0.2", "--beam-range", "5:30", "--trade-off", "params")
    options = *beyond, "--params-below", "3k", "--prior-runs", str(prior)
    done = search(out, *options)
    assert done.returncode == 0, done.stderr
    result = found(out)
    front = result["front"]
    assert all(entry["params"] < 3000 for entry in front)
    assert [entry["params"] for entry in front] == sorted((entry["params"] for entry in front), reverse=True)
    assert front[0]["accuracy"] == max(entry["accuracy"] for entry in front) == result["best_accuracy"]
    assert result["hypervolume"] > 0
    with Ledger.read(out / "ledger.sqlite") as ledger:
        rows = ledger.rows()
        assert all(row.outcome.measurements["n_parameters"] < 3000 for row in rows if row.outcome is not None)
        assert all(row.candidate.predicted_std is not None for row in rows if row.round)
        said = ledger.predictions(2)
        assert said is not None
        assert len(said.cells) > 100
        (known,) = ledger.fact("prior_runs")
        with Ledger.read(prior / "ledger.sqlite") as other:
            assert known == {row.candidate.cell.key: row.outcome.accuracy for row in other.rows() if row.outcome}
    # The earlier run may go, since the ledger has what it said.
    (out / "result.json").unlink()
    (prior / "ledger.sqlite").unlink()
    again = search(out, *options)
    assert again.returncode == 0, again.stderr
    assert found(out) == result
