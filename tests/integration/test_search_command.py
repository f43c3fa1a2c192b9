"""The search as a user runs it: real processes, real training, a real ledger."""

import itertools
import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from pnas_search import Ledger
from pnas_searchspace import Cell

Run = Callable[..., subprocess.CompletedProcess[str]]
Command = Callable[..., list[str]]


def test_a_search_leaves_its_result_its_drawing_its_config_and_every_child(undisturbed: Path) -> None:
    result = json.loads((undisturbed / "result.json").read_text())
    with Ledger.read(undisturbed / "ledger.sqlite") as ledger:
        rows = ledger.rows()
        config = ledger.config()
    assert len(rows) == result["n_models"] == 21 + 4
    assert {len(row.candidate.cell) for row in rows} == {1, 2}
    last_level = [row for row in rows if row.round == 1]
    best = max(row.outcome.accuracy for row in last_level if row.outcome and row.outcome.accuracy is not None)
    assert result["best_accuracy"] == best
    assert len(Cell(result["best_cell"])) == 2
    assert result["n_examples"] == sum(row.outcome.n_examples for row in rows if row.outcome) == 25 * 1438
    assert result["seed"] == 0
    assert json.loads((undisturbed / "config.json").read_text()) == config == result["config"]
    assert (undisturbed / "best_cell.svg").read_text().startswith("<svg")
    assert not (undisturbed / ".data.npz").exists()


def test_the_number_of_workers_does_not_change_the_result_and_no_track_never_imports_mlflow(
    undisturbed: Path, small_search: Command, run: Run, tmp_path: Path
) -> None:
    arguments = small_search(tmp_path / "run", "--workers", "1")[3:]
    code = (
        "import sys; from pnas_tools._cli import cli\n"
        "if __name__ == '__main__':\n"
        "    cli.main(sys.argv[1:], standalone_mode=False)\n"
        "    assert 'mlflow' not in sys.modules and 'torch' in sys.modules\n"
    )
    done = run([sys.executable, "-c", code, *arguments])
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "run" / "result.json").read_bytes() == (undisturbed / "result.json").read_bytes()


def test_another_seed_gives_another_search(undisturbed: Path, small_search: Command, run: Run, tmp_path: Path) -> None:
    done = run(small_search(tmp_path / "run", "--seed", "1", "--blocks", "1"))
    assert done.returncode == 0, done.stderr

    def accuracies(folder: Path) -> list[float | None]:
        with Ledger.read(folder / "ledger.sqlite") as ledger:
            return [row.outcome.accuracy for row in ledger.rows(round=0) if row.outcome]

    assert accuracies(tmp_path / "run") != accuracies(undisturbed)


def test_what_a_search_prints_names_the_cell_the_cost_and_the_places(
    undisturbed: Path, small_search: Command, run: Run
) -> None:
    before = (undisturbed / "ledger.sqlite").read_bytes()
    done = run(small_search(undisturbed))
    assert done.returncode == 0
    assert "is finished" in done.stderr
    result = json.loads((undisturbed / "result.json").read_text())
    assert str(Cell(result["best_cell"])) in done.stdout
    assert f"{result['best_accuracy']:.4f}" in done.stdout
    assert "25 models trained on 35,950 examples" in done.stdout
    for name in ("result.json", "best_cell.svg", "ledger.sqlite"):
        assert str(undisturbed / name) in done.stdout
    assert (undisturbed / "ledger.sqlite").read_bytes() == before


def test_status_of_a_finished_search(undisturbed: Path, run: Run) -> None:
    done = run([sys.executable, "-m", "pnas_tools", "status", str(undisturbed), "--json"])
    assert done.returncode == 0
    status = json.loads(done.stdout)
    result = json.loads((undisturbed / "result.json").read_text())
    assert (status["finished"], status["running"]) == (True, False)
    assert (status["n_finished"], status["n_failed"]) == (25, 0)
    assert status["best_accuracy"] == result["best_accuracy"]
    assert status["best_cell"] == result["best_cell"]


def test_status_of_a_finished_search_says_how_to_go_on(undisturbed: Path, run: Run, tmp_path: Path) -> None:
    out = tmp_path / "run"
    shutil.copytree(undisturbed, out)
    command = [sys.executable, "-m", "pnas_tools", "status", str(out)]
    first = run(command).stdout
    assert f"  train it     pnas-tools train {out}\n" in first
    assert f" --out {out} --no-track\n" in first
    (out / "network").mkdir()
    (out / "network" / "config.json").write_text('{"network": "cifar", "recipe": "run", "n_epochs": 9, "seed": 0}')
    assert f"  go on training pnas-tools train {out}\n" in run(command).stdout
    (out / "network" / "network.safetensors").touch()
    assert f"  export it    pnas-tools export {out}\n" in run(command).stdout


def test_a_search_is_watched_from_another_process_until_it_is_finished(small_search: Command, tmp_path: Path) -> None:
    run = tmp_path / "run"
    run.mkdir()
    (run / ".lock").touch()
    watch = subprocess.Popen(
        [sys.executable, "-m", "pnas_tools", "status", str(run), "--watch", "--json"], stdout=subprocess.PIPE, text=True
    )
    with subprocess.Popen(
        small_search(run, "--quiet", "--json"), stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as search:
        looks = [json.loads(line) for line in watch.communicate(timeout=300)[0].splitlines()]
        result, said = search.communicate()
    assert watch.returncode == search.returncode == 0
    assert (looks[0]["n_asked"], looks[0]["finished"]) == (0, False)
    assert (looks[-1]["n_finished"], looks[-1]["finished"]) == (25, True)
    assert len(looks) > 2
    assert all(before != after for before, after in itertools.pairwise(looks))
    assert json.loads(result)["best_cell"] == looks[-1]["best_cell"]
    assert said == b""


@pytest.mark.parametrize(
    ("leftovers", "what"),
    [
        ([], "an empty folder"),
        ([".lock", "ledger.sqlite", "ledger.sqlite-wal", "config.json", ".config.json.tmp"], "empty files"),
    ],
)
def test_a_folder_that_was_only_half_created_is_a_search_that_begins(
    leftovers: list[str], what: str, undisturbed: Path, small_search: Command, run: Run, tmp_path: Path
) -> None:
    for name in leftovers:
        (tmp_path / name).touch()
    told = run([sys.executable, "-m", "pnas_tools", "status", str(tmp_path), "--json"])
    if leftovers:
        status = json.loads(told.stdout)
        assert (status["n_asked"], status["finished"], status["running"], status["config"]) == (0, False, False, None)
    else:
        assert (told.returncode, told.stdout) == (2, "")
    done = run(small_search(tmp_path))
    assert done.returncode == 0, (what, done.stderr)
    assert (tmp_path / "result.json").read_bytes() == (undisturbed / "result.json").read_bytes()


def test_a_search_in_which_no_child_finishes_fails_in_one_sentence_and_keeps_the_ledger(
    small_search: Command, run: Run, tmp_path: Path
) -> None:
    done = run(small_search(tmp_path / "run", "--learning-rate", "1e30", "--max-gradient-norm", "none"))
    assert done.returncode == 1
    assert "none of the 21 children of 1 blocks finished training" in done.stderr.splitlines()[-1]
    with Ledger.read(tmp_path / "run" / "ledger.sqlite") as ledger:
        assert [row.outcome.status for row in ledger.rows() if row.outcome] == ["diverged"] * 21
