"""A benchmark of two operations, really made: searches, more cells, the file, and a search on it."""

import dataclasses
import json
import shutil
import sqlite3
from pathlib import Path

import numpy as np
import pytest
import torch
from click.testing import CliRunner, Result
from rich.console import Console

from pnas_search import Benchmark, Ledger, SearchError, load_benchmark
from pnas_searchspace import CellSpace
from pnas_surrogate import Ensemble
from pnas_tools._benchmark_make import BenchmarkMaker
from pnas_tools._benchmark_plan import BenchmarkPlan
from pnas_tools._cli import cli
from pnas_tools._config import PRESETS
from pnas_tools._errors import BadInput
from pnas_tools._execution import Execution
from pnas_tools._proxies import Proxy
from pnas_trainer import load_dataset

OPERATIONS = ("identity", "max_pool_3x3")
CONFIG = dataclasses.replace(
    PRESETS["quick"],
    operations=OPERATIONS,
    n_blocks=2,
    beam_size=3,
    n_filters=2,
    n_epochs=2,
    n_members=2,
    surrogate_epochs=2,
    validation_fraction=0.8,
)
PLAN = BenchmarkPlan(n_uniform=8, n_repeated=4, seeds=(0, 1))


def maker(folder: Path, plan: BenchmarkPlan = PLAN) -> BenchmarkMaker:
    proxy = Proxy(config=CONFIG, images="digits", is_embedded=True)
    return BenchmarkMaker(
        "tiny", proxy, CONFIG, plan, folder, execution=Execution(n_workers=2), console=Console(quiet=True)
    )


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("made")
    maker(folder).check()
    maker(folder).train()
    return maker(folder).write()


@pytest.fixture(scope="module")
def table(made) -> Benchmark:
    return load_benchmark(str(made))


def run(*arguments: str) -> Result:
    return CliRunner().invoke(cli, list(arguments))


def test_every_cell_of_the_plan_is_trained_with_the_seeds_of_the_plan(table, made):
    space = CellSpace(OPERATIONS)
    searched = []
    for seed in PLAN.seeds:
        with Ledger.read(made.parent / f"search-{seed}" / "ledger.sqlite") as ledger:
            searched.append({row.candidate.cell for row in ledger.rows()})
    sources = PLAN.sources(space, 2, searched[0] | searched[1])
    assert {cell.cell: cell.source for cell in table.cells} == sources
    repeated = PLAN.repeated(list(sources))
    expected = {(cell, 0) for cell in sources} | {(cell, 1) for cell in repeated | searched[1]}
    assert {(row.cell, row.seed) for row in table.rows} == expected
    assert len(table.rows) == len(expected)


def test_rows_are_real_trainings_and_say_what_they_cost(table):
    assert all(row.status == "finished" and len(row.accuracies) == 2 and row.seconds > 0 for row in table.rows)
    assert table.about["n_train"] + table.about["n_validation"] == 1797
    assert all(a == n / 1438 for row in table.rows for a, n in zip(row.accuracies, row.n_correct, strict=True))
    assert len({row.accuracy for row in table.rows}) > 10
    assert all(cell.n_parameters > 0 and cell.multiply_adds > 0 for cell in table.cells)


def test_it_says_how_it_was_made_and_names_no_place(table, made):
    assert table.name == "tiny"
    assert table.about["config"] == CONFIG.training()
    assert table.about["plan"] == json.loads(json.dumps(dataclasses.asdict(PLAN)))
    assert table.about["provenance"]["versions"]["torch"]
    assert str(made.parent) not in json.dumps(table.about)


def test_made_again_nothing_is_trained_and_the_file_is_the_same(made, tmp_path):
    folder = tmp_path / "copy"
    shutil.copytree(made.parent, folder)
    for seed in PLAN.seeds:  # a ledger without a row that is missing cannot be trained on
        assert (folder / f"table-{seed}" / "ledger.sqlite").exists()
    before = {path: path.read_bytes() for path in folder.rglob("ledger.sqlite")}
    maker(folder).train()
    assert maker(folder).write().read_bytes() == made.read_bytes()
    assert {path: path.read_bytes() for path in folder.rglob("ledger.sqlite")} == before


def test_a_part_of_it_is_a_benchmark_too(made, tmp_path):
    folder = tmp_path / "part"
    shutil.copytree(made.parent, folder)
    shutil.rmtree(folder / "table-1")
    part = load_benchmark(str(maker(folder).write()))
    whole = load_benchmark(str(made))
    assert 0 < len(part.rows) < len(whole.rows)
    assert set(part.rows) < set(whole.rows)


def test_trainings_that_were_lost_come_out_the_same(made, table, tmp_path):
    """As after a kill: rounds were asked for, and some of their outcomes are missing."""
    folder = tmp_path / "cut"
    shutil.copytree(made.parent, folder)
    with sqlite3.connect(folder / "table-0" / "ledger.sqlite") as connection:
        lost = connection.execute("DELETE FROM outcome WHERE rowid % 2").rowcount
    connection.close()
    assert lost > 3
    assert len(load_benchmark(str(maker(folder).write())).rows) == len(table.rows) - lost
    maker(folder).train()
    again = load_benchmark(str(maker(folder).write()))
    assert [(row.cell, row.seed, row.n_correct) for row in again.rows] == [
        (row.cell, row.seed, row.n_correct) for row in table.rows
    ]


@pytest.mark.parametrize("change", [{"n_uniform": 4}, {"n_uniform": 12}, {"n_repeated": 6}, {"seeds": (0, 2)}])
def test_another_plan_in_the_same_folder_is_refused(made, change):
    other = dataclasses.replace(PLAN, **change)
    with pytest.raises(BadInput, match=f"holds the runs of another plan, {next(iter(change))} is "):
        maker(made.parent, other).check()


def test_where_nothing_is_trained_there_is_no_benchmark_so_far(tmp_path):
    done = run("benchmark", "make", "micro-digits", "--so-far", "--out", str(tmp_path / "none"))
    assert done.exit_code == 2
    assert "holds no runs: leave out --so-far to begin" in done.output


@pytest.mark.parametrize("lost", [["search-1", "table-0", "table-1"], ["table-0", "table-1"]])
def test_there_is_a_benchmark_as_soon_as_one_search_is_done(made, tmp_path, lost):
    """With seeds or without, it says what is there; and whatever is unknown is left out."""
    folder = tmp_path / "early"
    shutil.copytree(made.parent, folder)
    for name in lost:
        shutil.rmtree(folder / name)
    path = maker(folder).write()
    [info] = json.loads(run("benchmark", "info", str(path), "--json").output)
    assert info["cells_per_size"]["1"] == 10
    assert run("benchmark", "info", str(path)).exit_code == 0
    noise = load_benchmark(str(path)).interpolator.noise
    assert (noise > 0).all() if "search-1" not in lost else (noise == 0).all()


def test_too_little_for_an_interpolator_is_said(made, tmp_path):
    folder = tmp_path / "begun"
    shutil.copytree(made.parent / "search-0", folder / "search-0")
    with sqlite3.connect(folder / "search-0" / "ledger.sqlite") as connection:
        connection.execute("DELETE FROM outcome WHERE rowid > 5")
    connection.close()
    with pytest.raises(SearchError, match="fitted to 10 cells or more, and 5 have been trained to the end"):
        maker(folder).write()


def test_images_that_come_with_pnas_are_not_asked_for(tmp_path):
    done = run("benchmark", "make", "micro-digits", "--dataset", "photos", "--out", str(tmp_path / "made"))
    assert done.exit_code == 2
    assert "which come with PNAS: leave out --dataset" in done.output


def test_images_that_do_not_come_with_pnas_are_asked_for(tmp_path):
    for arguments in (["make", "micro-cifar10", "--out", str(tmp_path / "made")], ["check", "micro-cifar10"]):
        done = run("benchmark", *arguments)
        assert done.exit_code == 2
        assert "which do not come with PNAS: say with --dataset where they are" in done.output
    assert not (tmp_path / "made").exists()


def test_other_images_are_refused_before_anything_is_trained(tmp_path):
    out = tmp_path / "made"
    load_dataset("digits", validation_fraction=0.1).save(tmp_path / "other.npz")
    config = dataclasses.replace(CONFIG, dataset=str(tmp_path / "other.npz"))
    proxy = Proxy(config=CONFIG, images="photos", is_embedded=False, images_digest="0123")
    with pytest.raises(BadInput, match="holds other images than those of photos: expected 0123, got "):
        BenchmarkMaker("photos", proxy, config, PLAN, out, execution=Execution(), console=Console(quiet=True)).check()
    assert not out.exists()


def test_a_check_on_other_images_says_so(made, tmp_path):
    load_dataset("digits", validation_fraction=0.5).save(tmp_path / "other.npz")
    done = run("benchmark", "check", str(made), "--dataset", str(tmp_path / "other.npz"))
    assert done.exit_code == 2
    assert "other.npz holds other images than those of " in done.output


def test_some_of_it_trained_again_is_the_same_to_the_last_image(made):
    done = run("benchmark", "check", str(made), "--rows", "5")
    assert done.exit_code == 0, done.output
    assert done.output.count("same  ") == 5
    assert "5 of 5 trainings gave the same accuracies after every epoch." in done.output


def test_what_differs_is_shown_and_fails(table, tmp_path):
    """Another learning rate stands for another machine."""
    about = {**table.about, "config": {**table.about["config"], "learning_rate": 0.3}}
    path = tmp_path / "other.npz"
    path.write_bytes(dataclasses.replace(table, about=about).to_bytes())
    done = run("benchmark", "check", str(path), "--rows", "2")
    assert done.exit_code == 1
    assert "DIFFERENT" in done.output


def test_info_says_what_is_in_it(made, table):
    done = run("benchmark", "info", str(made), "--json")
    [info] = json.loads(done.output)
    assert info["name"] == "tiny"
    assert info["n_rows"] == len(table.rows)
    assert info["rows_per_size"] == {str(size): n for size, n in table.rows_per_size().items()}
    assert sum(info["cells_per_size"].values()) == len(table.cells)
    shown = run("benchmark", "info", str(made)).output
    assert "tiny" in shown
    assert str(len(table.cells) - 10) in shown


def test_a_search_on_it_trains_nothing_and_says_so(made, tmp_path):
    out = tmp_path / "run"
    arguments = [
        "search", "--evaluator", f"benchmark:{made}", "--operations", ",".join(OPERATIONS), "--blocks", "2", "--beam",
        "4", "--members", "2", "--surrogate-epochs", "2", "--no-track", "--out", str(out),
    ]  # fmt: skip
    done = run(*arguments)
    assert done.exit_code == 0, done.output
    assert "No model was trained: on the surrogate benchmark" in done.output
    result = json.loads((out / "result.json").read_text())
    assert result["n_models"] == 10 + 4
    assert result["config"]["n_filters"] == CONFIG.n_filters
    with Ledger.read(out / "ledger.sqlite") as ledger:
        measured = [row.outcome.measurements["measured"] for row in ledger.rows()]
    assert measured[:10] == [1] * 10
    assert result["n_interpolated"] == measured.count(0)
    assert f"14 of 14 children looked up on the surrogate benchmark {made}" in run("status", str(out)).output


def test_a_search_on_a_file_that_has_changed_is_another_search(table, tmp_path):
    path, out = tmp_path / "table.npz", str(tmp_path / "run")
    options = ["--blocks", "1", "--no-track", "--out", out]
    path.write_bytes(table.to_bytes())
    assert run("search", "--evaluator", f"benchmark:{path}", *options).exit_code == 0
    about = {**table.about, "images": "others"}
    path.write_bytes(dataclasses.replace(table, about=about).to_bytes())
    done = run("search", "--evaluator", f"benchmark:{path}", *options)
    assert done.exit_code == 2
    assert "holds a run of another config, --evaluator is " in done.output


def test_a_search_on_it_has_its_operations_and_its_largest_size_unless_told_otherwise(made, tmp_path):
    out = tmp_path / "run"
    done = run("search", "--evaluator", f"benchmark:{made}", "--beam", "2", "--no-track", "--out", str(out))
    assert done.exit_code == 0, done.output
    config = json.loads((out / "config.json").read_text())
    assert (config["operations"], config["n_blocks"]) == (list(OPERATIONS), 2)


def test_fitting_a_surrogate_on_it_takes_one_thread(made, tmp_path, monkeypatch):
    torch.set_num_threads(2)
    seen = []
    monkeypatch.setattr(Ensemble, "fit", lambda *_: seen.append(torch.get_num_threads()))
    run("search", "--evaluator", f"benchmark:{made}", "--no-track", "--out", str(tmp_path / "run"))
    assert seen == [1]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--epochs", "7"], "--epochs was 2 for the networks of "),
        (["--blocks", "3"], "--blocks 3 is more than the 2 blocks of the largest cells of "),
        (["--warm-start", "true"], "--warm-start was false for the networks of "),
        (["--operations", "identity,sep_conv_3x3"], "and --operations names sep_conv_3x3: leave it out"),
    ],
)
def test_options_that_contradict_how_it_was_made_are_refused(made, tmp_path, options, message):
    blocks = [] if "--blocks" in options else ["--blocks", "2"]
    done = run("search", "--evaluator", f"benchmark:{made}", *blocks, *options, "--out", str(tmp_path / "run"))
    assert done.exit_code == 2
    assert message in done.output
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("train:fast", "expected train or benchmark:NAME"),
        ("benchmark:none-such", "there is no benchmark 'none-such': expected "),
        ("benchmark:none-such.npz", "the benchmark none-such.npz cannot be read (No such file or directory)"),
    ],
)
def test_an_evaluator_that_there_is_not_is_refused(name, message):
    done = run("search", "--evaluator", name)
    assert done.exit_code == 2
    assert message in done.output


def test_a_file_that_is_no_benchmark_is_refused(tmp_path):
    path = tmp_path / "other.npz"
    np.savez(path, a=np.zeros(3))
    for command in (["info", str(path)], ["check", str(path)]):
        done = run("benchmark", *command)
        assert done.exit_code == 2
        assert "must be a benchmark that `pnas-tools benchmark make` wrote, but: " in done.output
