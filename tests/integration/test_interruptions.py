"""Whatever interrupts a search, the same command goes on, and ends with the result of an undisturbed one."""

import json
import os
import random
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from pnas_search import Ledger
from pnas_tools._run_folder import RunFolder
from pnas_tools._status import read_status

needs_proc = pytest.mark.skipif(not Path("/proc").is_dir(), reason="finds the workers in /proc")

Run = Callable[..., subprocess.CompletedProcess[str]]
Command = Callable[..., list[str]]

N_RANDOM_KILLS = 50 if os.environ.get("PNAS_CHAOS") else 5
N_CHILDREN = 25


@contextmanager
def started(command: list[str]) -> Iterator[subprocess.Popen[str]]:
    """A running search, in a process group of its own as a shell would give it."""
    with subprocess.Popen(
        command,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        # A suite that runs in the background of a shell is started with Ctrl-C ignored, and hands that on.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def wait_for_children(process: subprocess.Popen[str], out: Path, n_children: int) -> None:
    """Until that many children are committed, or the search is over."""
    deadline = time.monotonic() + 120
    while process.poll() is None and time.monotonic() < deadline:
        if out.is_dir() and read_status(RunFolder(out))["n_finished"] >= n_children:
            return
        time.sleep(0.02)
    assert process.poll() is not None, "no child was finished in two minutes"


def finished_children(out: Path) -> dict[str, float]:
    """The seconds that every committed child took: a child that is trained again takes others."""
    with Ledger.read(out / "ledger.sqlite") as ledger:
        return {row.candidate.cell.key: row.outcome.seconds for row in ledger.rows() if row.outcome is not None}


def workers_of(process: subprocess.Popen[str]) -> list[int]:
    return [int(pid) for pid in Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()]


def trainers_of(process: subprocess.Popen[str]) -> list[int]:
    """The processes that train; there are none while the search sets up."""
    commands = {}
    for pid in workers_of(process):
        with suppress(FileNotFoundError, ProcessLookupError):
            commands[pid] = Path(f"/proc/{pid}/cmdline").read_bytes()
    return [pid for pid, command in commands.items() if b"spawn_main" in command]


def is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


@needs_proc
def test_a_search_killed_in_the_middle_goes_on_and_ends_with_the_same_result(
    undisturbed: Path, small_search: Command, run: Run, tmp_path: Path
) -> None:
    out = tmp_path / "run"
    with started(small_search(out, "--workers", "2")) as process:
        wait_for_children(process, out, 8)
        workers = workers_of(process)
        process.send_signal(signal.SIGKILL)
        process.wait()
    kept = finished_children(out)
    assert 8 <= len(kept) < N_CHILDREN
    assert len(workers) >= 2
    deadline = time.monotonic() + 30
    while any(map(is_running, workers)):
        assert time.monotonic() < deadline, "the workers outlive the search that started them"
        time.sleep(0.1)
    done = run(small_search(out, "--workers", "1"))
    assert done.returncode == 0, done.stderr
    assert f"goes on after {len(kept)} children" in done.stderr
    assert (out / "result.json").read_bytes() == (undisturbed / "result.json").read_bytes()
    assert kept.items() <= finished_children(out).items()


@needs_proc
@pytest.mark.chaos
def test_a_search_killed_at_random_moments_ends_with_the_same_result(
    undisturbed: Path, small_search: Command, run: Run, tmp_path: Path
) -> None:
    out = tmp_path / "run"
    choose = random.Random(0)
    for _ in range(N_RANDOM_KILLS):
        before = len(finished_children(out)) if Ledger.exists(out / "ledger.sqlite") else 0
        with started(small_search(out)) as process:
            if choose.random() < 0.5:  # while it sets up, or while children are in flight
                time.sleep(choose.uniform(0, 8))
            else:
                wait_for_children(process, out, before + 1)
                time.sleep(choose.uniform(0, 0.3))
            if choose.random() < 0.5 and process.poll() is None:
                for worker in trainers_of(process)[:1]:
                    with suppress(ProcessLookupError):  # it was quicker
                        os.kill(worker, signal.SIGKILL)
                time.sleep(choose.uniform(0, 1))
            process.send_signal(signal.SIGKILL)
    done = run(small_search(out))
    assert done.returncode == 0, done.stderr
    assert (out / "result.json").read_bytes() == (undisturbed / "result.json").read_bytes()


def test_ctrl_c_ends_a_search_at_once_in_one_sentence_and_it_goes_on(
    undisturbed: Path, small_search: Command, run: Run, tmp_path: Path
) -> None:
    out = tmp_path / "run"
    with started(small_search(out)) as process:
        wait_for_children(process, out, 3)
        os.killpg(process.pid, signal.SIGINT)  # as a terminal does: the workers get it too
        _, stderr = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "Traceback" not in stderr
    assert stderr.splitlines()[-1] == "pnas-tools: interrupted; the same command goes on where it stopped"
    kept = finished_children(out)
    done = run(small_search(out))
    assert done.returncode == 0, done.stderr
    assert (out / "result.json").read_bytes() == (undisturbed / "result.json").read_bytes()
    assert kept.items() <= finished_children(out).items()


@needs_proc
def test_a_worker_that_is_killed_is_replaced(undisturbed: Path, small_search: Command, tmp_path: Path) -> None:
    out = tmp_path / "run"
    with started(small_search(out, "--workers", "2")) as process:
        wait_for_children(process, out, 2)
        os.kill(trainers_of(process)[0], signal.SIGKILL)
        _, stderr = process.communicate(timeout=120)
    assert process.returncode == 0, stderr
    assert (out / "result.json").read_bytes() == (undisturbed / "result.json").read_bytes()


def test_a_running_search_answers_status_and_keeps_a_second_one_out(
    small_search: Command, run: Run, tmp_path: Path
) -> None:
    out = tmp_path / "run"
    with started(small_search(out, "--blocks", "3", "--beam", "16")) as process:
        wait_for_children(process, out, 2)
        status = read_status(RunFolder(out))
        assert status["n_finished"] >= 2
        assert status["finished"] is False
        assert status["running"] is True
        assert 0 <= status["best_accuracy"] <= 1
        second = run(small_search(out, "--blocks", "3", "--beam", "16"))
        assert process.poll() is None
    assert second.returncode == 2
    assert "another process is running the search" in second.stderr
    assert len(second.stderr.splitlines()) == 1


def test_status_says_how_to_go_on_with_a_search_that_was_stopped(
    undisturbed: Path, small_search: Command, run: Run, tmp_path: Path
) -> None:
    out = tmp_path / "run"
    with started(small_search(out)) as process:
        wait_for_children(process, out, 2)
        process.kill()
    told = run([sys.executable, "-m", "pnas_tools", "status", str(out)])
    assert f"{out} is not running, at level" in told.stdout
    (line,) = [line for line in told.stdout.splitlines() if line.startswith("  go on")]
    program, *words = shlex.split(line.removeprefix("  go on"))
    assert program == "pnas-tools"
    done = run([sys.executable, "-m", "pnas_tools", *words, "--no-track"])
    assert done.returncode == 0, done.stderr
    assert (out / "result.json").read_bytes() == (undisturbed / "result.json").read_bytes()


def test_the_result_is_written_again_from_the_ledger(
    undisturbed: Path, small_search: Command, run: Run, tmp_path: Path
) -> None:
    out = tmp_path / "run"
    out.mkdir()
    (out / "ledger.sqlite").write_bytes((undisturbed / "ledger.sqlite").read_bytes())
    assert read_status(RunFolder(out))["finished"] is False
    before = finished_children(out)
    done = run(small_search(out))
    assert done.returncode == 0, done.stderr
    assert (out / "result.json").read_bytes() == (undisturbed / "result.json").read_bytes()
    assert json.loads((out / "config.json").read_text()) == json.loads((undisturbed / "config.json").read_text())
    assert finished_children(out) == before


@needs_proc
def test_what_children_inherit_survives_a_kill_too(small_search: Command, run: Run, tmp_path: Path) -> None:
    options = "--blocks", "3", "--epochs", "3", "--warm-start", "true", "--early-stopping", "0.5"
    undisturbed, out = tmp_path / "undisturbed", tmp_path / "run"
    assert run(small_search(undisturbed, *options, "--workers", "1")).returncode == 0
    with started(small_search(out, *options, "--workers", "2")) as process:
        wait_for_children(process, out, 21)
        process.kill()
    assert run(small_search(out, *options, "--workers", "2")).returncode == 0
    assert (out / "result.json").read_bytes() == (undisturbed / "result.json").read_bytes()
    with Ledger.read(out / "ledger.sqlite") as ledger:
        statuses = {row.outcome.status for row in ledger.rows() if row.outcome is not None}
    assert statuses == {"finished", "stopped"}
