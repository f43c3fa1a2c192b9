import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from pnas_tools._cli import cli

QUICK = (*("--operations", "identity,max_pool_3x3", "--blocks", "2", "--beam", "6", "--surrogate-epochs", "2"),)


def report(*arguments: str) -> Result:
    return CliRunner().invoke(cli, ["report", *arguments])


@pytest.fixture(scope="module")
def run(on_benchmark: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    return on_benchmark(tmp_path_factory.mktemp("runs") / "quick", *QUICK)


def test_it_writes_one_file_and_says_how_large(run: Path, tmp_path: Path) -> None:
    file = tmp_path / "report.html"
    done = report(str(run), "-o", str(file), "--json")
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout)
    assert told == {"file": str(file), "n_bytes": file.stat().st_size, "n_children": told["n_children"]}
    assert file.read_text(encoding="utf-8").startswith("<!doctype html>")
    assert told["n_bytes"] < 8e6
    assert list(tmp_path.iterdir()) == [file]
    assert f"wrote {file}: {told['n_children']} children" in report(str(run), "-o", str(file)).output


@pytest.mark.parametrize(("name", "words"), [("report.pdf", "ends in .html"), ("no/report.html", "no folder")])
def test_a_file_that_cannot_be_written_is_refused_first(name: str, words: str, tmp_path: Path) -> None:
    done = report(str(tmp_path / "no run"), "-o", str(tmp_path / name))
    assert done.exit_code == 2
    assert words in done.output


def test_a_folder_without_a_run_is_refused(tmp_path: Path) -> None:
    done = report(str(tmp_path / "nowhere"), "-o", str(tmp_path / "report.html"))
    assert done.exit_code == 2
    assert "holds no run" in done.output
    assert list(tmp_path.iterdir()) == []


def test_a_damaged_ledger_is_refused(tmp_path: Path) -> None:
    (tmp_path / "ledger.sqlite").write_bytes(b"no ledger" * 1000)
    done = report(str(tmp_path), "-o", str(tmp_path / "report.html"))
    assert done.exit_code == 2
    assert "ledger" in done.output
