"""Bad input ends in one sentence on stderr and exit code 2, and changes nothing on disk."""

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

Run = Callable[..., subprocess.CompletedProcess[str]]
Command = Callable[..., list[str]]


def contents(folder: Path) -> dict[str, bytes | None]:
    return {str(path.relative_to(folder)): path.read_bytes() if path.is_file() else None for path in folder.rglob("*")}


def assert_refused(done: subprocess.CompletedProcess[str], *words: str) -> None:
    assert done.returncode == 2, done.stderr
    lines = done.stderr.splitlines()
    assert len(lines) == 1, done.stderr
    assert lines[0].startswith("pnas-tools: ")
    assert done.stdout == ""
    for word in words:
        assert word in lines[0]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--beam", "0"], ["--beam", "0"]),
        (["--blocks", "two"], ["--blocks", "two"]),
        (["--preset", "fast"], ["fast", "quick", "paper"]),
        (["--bream", "3"], ["--bream", "--beam"]),
        (["--operations", "identity,max_pool_3x4"], ["max_pool_3x4", "did you mean 'max_pool_3x3'"]),
        (["--operations", "identity,identity"], ["identity"]),
        (["--dataset", "digit"], ["digit", "did you mean 'digits'"]),
        (["--validation-fraction", "0.0001"], ["validation_fraction", "0.0001"]),
        (["--learning-rate", "nan"], ["--learning-rate", "nan"]),
        (["--crop-to", "9"], ["crop_to", "9"]),
        (["--operations", "identity"], ["--members 5", "there are 3"]),
        (["--seed", "99999999999999999999"], ["--seed"]),
        (["--weight-decay", "inf"], ["--weight-decay", "inf"]),
        (["--device", "tpu"], ["tpu"]),
        (["surplus"], ["surplus"]),
        (["--strategy", "random", "--exploration", "0.1"], ["--exploration", "--strategy progressive", "random"]),
        (["--population", "9"], ["--population", "--strategy evolution", "progressive"]),
        (["--strategy", "genetic"], ["genetic", "evolution"]),
        (["--executor", "local", "--workers", "2"], ["--executor local", "--workers"]),
        (["--executor", "local", "--child-timeout", "9s"], ["--child-timeout", "processes"]),
        (["--child-timeout", "5"], ["--child-timeout", "5ms"]),
        (["--beam-range", "9:3"], ["--beam-range", "64:512", "9:3"]),
        (["--params-below", "100"], ["--params-below 100", "leaves no cell"]),
        (["--params-below", "-1k"], ["--params-below", "600k", "-1k"]),
        (["--trade-off", "size"], ["size", "params", "latency"]),
        (["--models", "21"], ["--models 21", "all 21 cells"]),
        (["--rerank-fidelity", "3"], ["--rerank-fidelity", "--rerank"]),
        (["--prior-runs", "nowhere"], ["nowhere", "there is no ledger"]),
        (["--evaluator", "benchmark:micro-digits", "--filters", "4", "--epochs", "4", "--rerank", "3"], ["--rerank"]),
    ],
)
def test_bad_options(options: list[str], words: list[str], run: Run, small_search: Command, tmp_path: Path) -> None:
    assert_refused(run(small_search(tmp_path / "deep" / "run", *options)), *words)
    assert contents(tmp_path) == {}


def test_a_limit_that_leaves_only_cells_that_are_smaller_than_the_strategys(run: Run, tmp_path: Path) -> None:
    options = "--operations", "identity,max_pool_3x3", "--blocks", "2", "--filters", "2", "--strategy", "random"
    command = [sys.executable, "-m", "pnas_tools", "search", *options, "--no-track", "--out", str(tmp_path / "run")]
    assert_refused(run([*command, "--params-below", "300"]), "no cell of 2 blocks", "--params-below 300", "--blocks")
    assert contents(tmp_path) == {}


def test_a_folder_with_a_run_of_another_config(
    undisturbed: Path, small_search: Command, run: Run, tmp_path: Path
) -> None:
    shutil.copytree(undisturbed, tmp_path / "run")
    before = contents(tmp_path)
    assert_refused(run(small_search(tmp_path / "run", "--beam", "5")), "--beam is 4 there", "4", "5", "--out")
    assert contents(tmp_path) == before


@pytest.mark.parametrize("damage", ["cut", "overwritten", "garbage"])
def test_a_corrupt_ledger(damage: str, undisturbed: Path, small_search: Command, run: Run, tmp_path: Path) -> None:
    shutil.copytree(undisturbed, tmp_path / "run")
    ledger = tmp_path / "run" / "ledger.sqlite"
    intact = ledger.read_bytes()
    middle = len(intact) // 2
    ledger.write_bytes(
        {
            "cut": intact[:middle],
            "overwritten": intact[:4096] + bytes(range(256)) * 16 + intact[8192:],
            "garbage": b"these are not the pages you are looking for" * 100,
        }[damage]
    )
    before = contents(tmp_path)
    assert_refused(run(small_search(tmp_path / "run")), str(ledger))
    assert contents(tmp_path) == before
    assert_refused(run([sys.executable, "-m", "pnas_tools", "status", str(tmp_path / "run")]), str(ledger))
    assert contents(tmp_path) == before


def test_a_folder_that_holds_something_else(small_search: Command, run: Run, tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("years of work")
    assert_refused(run(small_search(tmp_path)), "thesis.tex", "--out")
    assert contents(tmp_path) == {"thesis.tex": b"years of work"}


def test_a_place_where_no_folder_can_be_made(small_search: Command, run: Run, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    assert_refused(run(small_search(tmp_path / "file" / "run")), "file")
    assert_refused(run(small_search(tmp_path / "file")), "file")
    assert contents(tmp_path) == {"file": b"in the way"}


def test_a_damaged_result(undisturbed: Path, small_search: Command, run: Run, tmp_path: Path) -> None:
    shutil.copytree(undisturbed, tmp_path / "run")
    (tmp_path / "run" / "result.json").write_text("{")
    before = contents(tmp_path)
    assert_refused(run(small_search(tmp_path / "run")), "result.json")
    assert contents(tmp_path) == before


@pytest.mark.parametrize("name", ["missing", "."])
def test_status_of_a_folder_without_a_run(name: str, run: Run, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").touch()
    done = run([sys.executable, "-m", "pnas_tools", "status", str(tmp_path / name), "--json"])
    assert_refused(done, "holds no run")


def test_an_unknown_command(run: Run) -> None:
    assert_refused(run([sys.executable, "-m", "pnas_tools", "serach"]), "serach")
