import csv
import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

from pnas_surrogate import Ensemble, MLPPredictor, SequenceSpec
from pnas_surrogate.benchmark import Interval, evaluate
from pnas_tools._cli import cli

FAST = ("--trials", "3", "--samples", "20", "--predictors", "mlp,mlp-ensemble")


def run(*arguments: str) -> Result:
    return CliRunner().invoke(cli, ["surrogate", "benchmark", *arguments])


@pytest.fixture(autouse=True)
def few_epochs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        MLPPredictor.__init__, "__kwdefaults__", {**MLPPredictor.__init__.__kwdefaults__, "n_epochs": 3}
    )


@pytest.fixture
def table(tmp_path: Path) -> str:
    """40 sequences each of one, two and three groups, measured twice."""
    rng = np.random.default_rng(0)
    path = tmp_path / "table.csv"
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["sequence", "score", "second_score"])
        for size in (1, 2, 3):
            for number in rng.choice(64, 40, replace=False):
                sequence = [number // 8, number % 8, *rng.integers(0, 8, 2 * size - 2)]
                score = np.mean(sequence)
                writer.writerow([" ".join(map(str, sequence)), *(score + 0.3 * rng.normal(size=2))])
    return str(path)


def rows(path: str) -> list[list[str]]:
    with Path(path).open(newline="") as file:
        return list(csv.reader(file))[1:]


def test_it_prints_the_layout_of_table_1_differences_and_the_ceiling(table: str) -> None:
    done = run(table, "--kinds", "input,operation", *FAST, "--against", "mlp-ensemble")
    assert done.exit_code == 0, done.stderr
    assert f"On {table}, fitted 3 times to 20 sequences of size b: Spearman's rank correlation" in done.stdout
    lines = [line.split() for line in done.stdout.splitlines()]
    header = lines.index(["b=1", "b=2"])
    assert lines[header + 1] == ["trained", "b=2", "trained", "b=3"]
    assert [lines[header + row][0] for row in (2, 4)] == ["mlp", "mlp-ensemble"]
    assert len(lines[header + 2]) == 5
    assert len(lines[header + 3]) == 4
    assert all(cell.startswith("±") for cell in lines[header + 3])
    (_, two, three), (_, *ceilings) = (
        next(line for line in lines if line[:1] == [name]) for name in ("repeats", "ceiling")
    )
    assert [float(one) ** 2 for one in ceilings] == pytest.approx([float(two), float(three)], abs=0.002)
    assert "On sequences of the same size that were not trained on:" in done.stdout
    assert "On unseen sequences, less mlp-ensemble in the same trial:" in done.stdout
    assert "…" not in done.stdout  # nothing is cut off


def test_it_says_what_it_has_found_as_it_goes(table: str) -> None:
    done = run(table, *FAST)
    said = [line.split()[:4] for line in done.stderr.splitlines()]
    names = ("mlp", "mlp-ensemble")
    assert said == [["fitted", "to", f"b={size}", name] for size in (2, 4) for name in names]


def test_json_holds_what_the_function_gives(table: str) -> None:
    done = run(table, "--kinds", "input,operation", *FAST, "--targets", "30", "--seed", "4", "--json", "--cumulative")
    found = json.loads(done.stdout)
    spec = SequenceSpec(kinds=("input", "operation"), vocabulary={"input": 8, "operation": 8})
    expected = evaluate(
        {"mlp": MLPPredictor(spec), "mlp-ensemble": Ensemble(MLPPredictor(spec))},
        [list(map(int, row[0].split())) for row in rows(table)],
        [float(row[1]) for row in rows(table)],
        spec,
        n_trials=3,
        n_samples=20,
        n_targets=30,
        cumulative=True,
        seed=4,
    )
    assert (found["kinds"], found["vocabulary"]) == (["input", "operation"], {"input": 8, "operation": 8})
    assert (found["n_trials"], found["n_samples"], found["n_targets"], found["seed"]) == (3, 20, 30, 4)
    assert found["cumulative"] is True
    assert found["against"] == expected.best
    assert [(one["size"], one["n_sequences"]) for one in found["sizes"]] == [(1, 40), (2, 40), (3, 40)]
    assert 0.5 < found["sizes"][0]["between_repeats"] < 1
    assert set(found["provenance"]["versions"]) > {"pnas-surrogate", "torch"}
    for one, trials in zip(found["results"], expected.trials, strict=True):
        assert (one["predictor"], one["size"], one["next_size"]) == (trials.predictor, trials.size, trials.next_size)
        for ranked in ("training", "same_size", "unseen"):
            predictions = getattr(trials, ranked)
            assert one[ranked]["trials"] == pytest.approx(predictions.correlations.tolist())
            interval = Interval.of(predictions.correlations)
            assert (one[ranked]["low"], one[ranked]["high"]) == pytest.approx((interval.low, interval.high))
        difference = expected.difference(trials.predictor, expected.best, trials.size)
        assert one["difference"]["mean"] == pytest.approx(difference.mean)


def test_out_keeps_every_number_and_a_plot_for_every_predictor(table: str, tmp_path: Path) -> None:
    out = tmp_path / "deep" / "comparison"
    done = run(table, "--kinds", "input,operation", *FAST, "--out", str(out), "--json")
    assert done.exit_code == 0, done.stderr
    assert sorted(path.name for path in out.iterdir()) == [
        *("correlations.csv", "mlp-ensemble.svg", "mlp.svg", "result.json")
    ]
    found = json.loads((out / "result.json").read_text())
    assert found == json.loads(done.stdout)
    with (out / "correlations.csv").open(newline="") as file:
        lines = list(csv.DictReader(file))
    assert len(lines) == 2 * 2 * 3
    (line,) = (
        line for line in lines if (line["predictor"], line["fitted_size"], line["ranked"]) == ("mlp", "1", "unseen")
    )
    assert line["ranked_size"] == "2"
    assert float(line["mean"]) == pytest.approx(found["results"][0]["unseen"]["mean"], abs=1e-6)


def test_a_table_of_one_size_and_one_trial(table: str, tmp_path: Path) -> None:
    path = tmp_path / "one.csv"
    path.write_text("sequence,score\n" + "".join(f"{row[0]},{row[1]}\n" for row in rows(table)[:40]))
    arguments = (str(path), "--trials", "1", "--samples", "20", "--predictors", "mlp")
    done = run(*arguments, "--out", str(tmp_path / "out"))
    assert done.exit_code == 0, done.stderr
    assert "fitted once to 20 sequences of size b" in done.stdout
    assert "others" in done.stdout
    for absent in ("±0", "nan", "repeats", "same size", "in the same trial"):
        assert absent not in done.stdout
    found = json.loads((tmp_path / "out" / "result.json").read_text())
    (result,) = found["results"]
    assert result["unseen"] == result["same_size"]
    assert result["unseen"]["low"] is None


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["missing.csv"], "the table missing.csv cannot be read (No such file or directory): is the path right?"),
        (["{table}", "--predictors", "mpl"], "unknown predictor 'mpl', expected some of mlp, lstm"),
        (["{table}", "--predictors", "mlp-ensembel"], "did you mean 'mlp-ensemble'?"),
        (["{table}", "--predictors", "mlp,mlp"], "every predictor may be named once, and mlp,mlp repeats one"),
        (["{table}", "--predictors", "mlp", "--against", "gp"], "--against gp must be one of --predictors mlp"),
        (["{table}", "--kinds", "a,,b"], "expected names such as input,operation and not 'a,,b'"),
        (["{table}", "--kinds", "a,b,c"], "line 2 of {table}: expected a multiple of 3 tokens (a, b, c), not 2"),
        (["{table}", "--vocabulary", "token"], "expected sizes from 1 to 99999 such as input=6,operation=8"),
        (["{table}", "--vocabulary", "token=0"], "expected sizes from 1 to 99999"),
        (["{table}", "--vocabulary", "token=5,token=6"], "expected one size for each kind"),
        (["{table}", "--vocabulary", "token=4"], "is of kind 'token' and must be less than 4"),
        (["{table}", "--samples", "1"], "1 is not in the range x>=2"),
        (["{table}", "--trials", "0"], "0 is not in the range x>=1"),
        (["{table}", "--samples", "4", "--predictors", "mlp-ensemble"], "5 members needs as many samples, got 4"),
        (["{table}", "--out", "{table}/out"], "cannot be made (Not a directory): pass another --out"),
        (["micro-digits", "--kinds", "token"], "leave out --kinds"),
    ],
)
def test_bad_input_is_one_sentence_and_exit_code_2(arguments: list[str], message: str, table: str) -> None:
    done = run(*(argument.format(table=table) for argument in arguments))
    assert done.exit_code == 2
    assert message.format(table=table) in done.stderr
    assert done.stdout == ""
