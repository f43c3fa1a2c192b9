import json
import socket
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner
from filelock import FileLock

from pnas_tools._cli import cli
from pnas_tools._run_folder import RunFolder

pytestmark = pytest.mark.filterwarnings("ignore:::(mlflow|sqlalchemy|alembic|pydantic)", "ignore::ResourceWarning")


@pytest.fixture(autouse=True)
def clean_surroundings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)  # MLflow puts the files of a store that names no place for them below it
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.delenv("MLFLOW_EXPERIMENT_NAME", raising=False)


def test_what_is_missing_is_sent_once_and_a_sentence_says_where_to_look(run: RunFolder) -> None:
    first = CliRunner().invoke(cli, ["sync", str(run.path)])
    assert first.exit_code == 0, first.output
    look = "to look there: mlflow ui --backend-store-uri sqlite:///runs/mlflow.db\n"
    assert first.stdout == f"sent 3 children and 1 file of {run.path} to MLflow; {look}"
    second = CliRunner().invoke(cli, ["sync", str(run.path)])
    assert second.exit_code == 0
    assert second.stdout == f"MLflow has all of {run.path}; {look}"


def test_scripts_get_an_object_and_another_store_is_named_by_an_option(run: RunFolder, tmp_path: Path) -> None:
    uri = f"sqlite:///{tmp_path / 'other.db'}"
    done = CliRunner().invoke(cli, ["sync", str(run.path), "--tracking-uri", uri, "--json"])
    assert done.exit_code == 0, done.output
    sent = json.loads(done.stdout)
    assert len(sent.pop("run_id")) == 32
    assert sent == {"tracking_uri": uri, "status": "KILLED", "n_children": 3, "n_steps": 3, "n_files": 1}
    again = CliRunner().invoke(cli, ["sync", str(run.path), "--json"])  # it goes where it went last
    assert json.loads(again.stdout)["n_children"] == 0


def test_a_folder_without_a_run_is_bad_input(tmp_path: Path) -> None:
    done = CliRunner().invoke(cli, ["sync", str(tmp_path / "nothing")])
    assert done.exit_code == 2
    assert "holds no run" in done.output


def test_two_do_not_send_at_the_same_time(run: RunFolder) -> None:
    with FileLock(run.path / ".mlflow-sender.lock"):
        done = CliRunner().invoke(cli, ["sync", str(run.path)])
    assert done.exit_code == 2
    assert "another process is sending" in done.output


def test_a_server_that_is_not_there_is_a_sentence(run: RunFolder) -> None:
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        uri = f"http://127.0.0.1:{probe.getsockname()[1]}"
    done = CliRunner().invoke(cli, ["sync", str(run.path), "--tracking-uri", uri])
    assert done.exit_code == 1
    assert done.output.startswith(f"Error: MLflow at {uri} did not take everything (")
    assert len(done.output.splitlines()) == 1
