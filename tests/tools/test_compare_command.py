import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from pnas_search import Ledger, load_benchmark
from pnas_tools._cli import cli

SMALL = (
    *("--operations", "identity,max_pool_3x3,avg_pool_3x3"),  # 21 cells of one block
    *("--blocks", "2", "--beam", "9"),
)
ON_BENCHMARK = (*SMALL, "--evaluator", "benchmark:micro-digits")
STRATEGIES = ["progressive", "random", "evolution"]
THREE = (
    *(*ON_BENCHMARK, "--models", "40", "--strategies", ",".join(STRATEGIES)),
    *("--population", "8", "--tournament", "3", "--surrogate-epochs", "5"),
)


def run(*arguments: str) -> Result:
    return CliRunner().invoke(cli, ["compare", *arguments])


def compared(out: Path, *arguments: str) -> Any:
    done = run(*arguments, "--out", str(out), "--json")
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a comparison of three strategies in two trials."""
    out = tmp_path_factory.mktemp("undisturbed")
    compared(out, *THREE, "--trials", "2")
    return out


def test_every_trial_is_a_run_of_its_own_by_its_own_config(undisturbed: Path) -> None:
    assert sorted(path.name for path in undisturbed.iterdir()) == sorted(
        f"{strategy}-seed{seed}" for strategy in STRATEGIES for seed in (0, 1)
    )
    found = compared(undisturbed, *THREE, "--trials", "2")
    for strategy in found["strategies"]:
        folder = undisturbed / f"{strategy['strategy']}-seed0"
        assert json.loads((folder / "config.json").read_text()) == strategy["config"]
        assert (strategy["config"]["population_size"] == 8) == (strategy["strategy"] == "evolution")
        result = json.loads((undisturbed / f"{strategy['strategy']}-seed1" / "result.json").read_text())
        assert [(trial["seed"], trial["n_examples"]) for trial in strategy["trials"]][1] == (1, result["n_examples"])
        with Ledger.read(folder / "ledger.sqlite") as ledger:
            accuracies = [row.outcome.accuracy for row in ledger.rows() if row.outcome is not None]
        assert strategy["trials"][0]["top"][0]["accuracy"] == max(accuracies)
        assert strategy["trials"][0]["n_models"] == len(accuracies)
    assert (found["benchmark"], found["seeds"]) == ("micro-digits", [0, 1])
    assert [len(strategy["curves"][0]["mean"]) for strategy in found["strategies"]] == [30, 40, 40]


def test_it_prints_the_table_with_the_share_that_was_interpolated(undisturbed: Path) -> None:
    done = run(*THREE, "--trials", "2", "--out", str(undisturbed))
    assert "2 trials (seeds 0 to 1) on the surrogate benchmark micro-digits" in done.stdout
    benchmark = load_benchmark("micro-digits")
    with (
        Ledger.read(undisturbed / "random-seed0" / "ledger.sqlite") as one,
        Ledger.read(undisturbed / "random-seed1" / "ledger.sqlite") as other,
    ):
        cells = [row.candidate.cell for row in [*one.rows(), *other.rows()]]
    share = sum(cell not in benchmark for cell in cells) / len(cells)
    assert ["random", "80", "0", f"{share:.1%}"] in [line.split() for line in done.stdout.splitlines()]


def test_interrupted_in_the_middle_the_same_command_goes_on_and_ends_the_same(
    undisturbed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    record, n_recorded = Ledger.record, iter(range(200))

    def interrupted(self: Ledger, *arguments: Any) -> None:
        record(self, *arguments)
        if next(n_recorded) == 50:  # in the second of six trials
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Ledger, "record", interrupted)
        cut_off = run(*THREE, "--trials", "2", "--out", str(tmp_path))
    assert cut_off.exit_code == 130
    assert "the same command goes on where it stopped" in cut_off.stderr + str(cut_off.exception)
    so_far = run(*THREE, "--trials", "2", "--out", str(tmp_path), "--so-far")
    assert so_far.exit_code == 2
    done = run(*THREE, "--trials", "2", "--out", str(tmp_path), "--json")
    assert f"The search in {tmp_path / 'random-seed0'} goes on after 21 children" in done.stderr
    assert "progressive-seed0" not in done.stderr
    expected = compared(undisturbed, *THREE, "--trials", "2")
    assert json.loads(done.stdout) == expected


def test_more_trials_and_strategies_run_those_that_are_missing(undisturbed: Path, tmp_path: Path) -> None:
    arguments = (*ON_BENCHMARK, "--models", "40")
    first = compared(tmp_path, *arguments, "--strategies", "random")
    assert [len(strategy["trials"]) for strategy in first["strategies"]] == [5]
    before = (tmp_path / "random-seed0" / "ledger.sqlite").read_bytes()
    second = compared(
        tmp_path, *arguments, "--strategies", "progressive,random", "--trials", "2", "--surrogate-epochs", "5"
    )
    assert (tmp_path / "random-seed0" / "ledger.sqlite").read_bytes() == before
    expected = compared(undisturbed, *THREE, "--trials", "2")
    assert second["strategies"] == expected["strategies"][:2]
    assert second["table"][0]["others"] == expected["table"][0]["others"][:1]


def test_a_folder_of_other_options_is_refused_before_anything_runs(tmp_path: Path) -> None:
    arguments = (*ON_BENCHMARK, "--trials", "1", "--out", str(tmp_path))
    assert run(*arguments, "--strategies", "random", "--models", "9").exit_code == 0
    done = run(*arguments, "--strategies", "local,random", "--models", "10")
    assert done.exit_code == 2
    assert "random-seed0 holds a run of another config, --models is 9 there and 10 here" in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["random-seed0"]


def test_so_far_it_shows_whole_seeds_and_runs_nothing(tmp_path: Path) -> None:
    arguments = (*ON_BENCHMARK, "--strategies", "random,local")
    compared(tmp_path, *arguments, "--trials", "1")
    found = compared(tmp_path, *arguments, "--trials", "3", "--so-far")
    assert found["seeds"] == [0]
    assert len(list(tmp_path.iterdir())) == 2


def test_files_hold_the_curves_and_the_figure(undisturbed: Path, tmp_path: Path) -> None:
    files = ("--csv", str(tmp_path / "curves.csv"), "--plot", str(tmp_path / "figure.SVG"))
    found = compared(undisturbed, *THREE, "--trials", "2", *files)
    lines = (tmp_path / "curves.csv").read_text().splitlines()
    assert lines[1].startswith("progressive,1,1,3596.0,")
    assert sum(line.startswith("random,25,") for line in lines) == 40 - 25 + 1
    assert float(lines[30].split(",")[4]) == pytest.approx(found["table"][0]["accuracy"]["mean"], abs=1e-6)
    assert (tmp_path / "figure.SVG").read_text().startswith("<?xml")


def test_networks_are_really_trained_where_no_benchmark_is_named(tmp_path: Path) -> None:
    training = ("--filters", "2", "--epochs", "1", "--train-images", "96", "--validation-images", "50")
    few = ("--models", "3", "--trials", "1", "--strategies", "random,local", "--executor", "local")
    found = compared(tmp_path, *SMALL, *training, *few)
    assert found["benchmark"] is None
    assert found["table"][0]["expected"] is None
    assert found["table"][0]["n_examples"] == 3 * 96


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--strategies", "random,rnadom"], "unknown strategy 'rnadom'"),
        (["--strategy", "random"], "Did you mean one of: '--strategies'"),
        (["--csv", "{}/no/curves.csv"], "there is no folder {}/no to write curves.csv in"),
        (["--plot", "{}/figure.gif"], "expected a name that ends in .svg or .png or .pdf, not '{}/figure.gif'"),
        (["--seed", "4294967290", "--trials", "7"], "seeds from 4294967290 on end at 4294967295"),
        (["--so-far"], "no seed is finished by every strategy so far: wait for one, or leave out --so-far"),
    ],
)
def test_bad_input_is_one_sentence_and_exit_code_2(arguments: list[str], message: str, tmp_path: Path) -> None:
    done = run(*ON_BENCHMARK, "--out", str(tmp_path / "out"), *(argument.format(tmp_path) for argument in arguments))
    assert done.exit_code == 2
    assert message.format(tmp_path, tmp_path) in done.stderr
    assert list(tmp_path.iterdir()) == []
