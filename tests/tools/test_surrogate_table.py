from pathlib import Path

import numpy as np
import pytest

from pnas_search import load_benchmark
from pnas_searchspace import CellSpace
from pnas_tools._errors import BadInput
from pnas_tools._surrogate_table import ScoredTable, read_table


def table_of(folder: Path, *lines: str, header: str = "sequence,score") -> str:
    path = folder / "table.csv"
    path.write_text("\n".join([header, *lines, ""]))
    return str(path)


def test_without_options_every_token_is_a_group_of_the_one_kind_there_is(tmp_path: Path) -> None:
    table = read_table(table_of(tmp_path, "0 4 1,0.5", "2 2,0.25"), None, None)
    assert (table.spec.kinds, table.spec.vocabulary) == (("token",), {"token": 5})
    assert list(table.sequences) == [(0, 4, 1), (2, 2)]
    assert table.scores.tolist() == [0.5, 0.25]
    assert table.sizes.tolist() == [3, 2]
    assert table.repeats.tolist() == [[0.5], [0.25]]


def test_kinds_say_how_long_a_group_is_and_vocabularies_are_inferred_but_where_they_are_given(tmp_path: Path) -> None:
    path = table_of(tmp_path, "0 4 1 9,1", "2 2,1")
    table = read_table(path, ("input", "operation"), {"operation": 12})
    assert table.spec.vocabulary == {"input": 3, "operation": 12}
    assert table.sizes.tolist() == [2, 1]


def test_a_sequence_on_several_lines_has_its_mean_as_score_and_a_second_score_is_no_part_of_it(tmp_path: Path) -> None:
    path = table_of(tmp_path, "1,0.5,0.9", "2,0.25,", "1,0.7,", header="sequence,score,second_score")
    table = read_table(path, None, None)
    assert table.scores.tolist() == pytest.approx([0.6, 0.25])
    np.testing.assert_array_equal(table.repeats, [[0.5, 0.9, 0.7], [0.25, np.nan, np.nan]])


@pytest.mark.parametrize("name", ["micro-digits", "micro-cifar10"])
def test_a_benchmark_is_a_table_of_its_mean_accuracies(name: str) -> None:
    benchmark = load_benchmark(name)
    table = read_table(name, None, None)
    assert (table.name, table.spec.kinds) == (name, ("input", "operation") * 2)
    assert table.spec.vocabulary == CellSpace().vocabulary(5)
    assert len(table.sequences) == len(set(table.sequences)) == len(benchmark.cells)
    for index in (0, 500, len(benchmark.cells) - 1):
        (cell,) = CellSpace().to_cells(CellSpace().decode([table.sequences[index]]))
        accuracies = [row.accuracy for row in benchmark.trainings(cell)]
        assert table.scores[index] == pytest.approx(np.mean([one for one in accuracies if one is not None]))
        assert table.repeats[index, : len(accuracies)].tolist() == accuracies


def refused(message: str, *arguments: object) -> None:
    with pytest.raises(BadInput, match=message):
        read_table(*arguments)  # type: ignore[arg-type]


def test_what_the_kinds_or_the_vocabulary_do_not_allow_is_refused_by_line(tmp_path: Path) -> None:
    path = table_of(tmp_path, "0 1,1", "0 1 2,1", "7 8,1", "100000 0,1")
    kinds = ("input", "operation")
    refused(r"line 3 of .*: expected a multiple of 2 tokens \(input, operation\), not 3", path, kinds, None)
    path = table_of(tmp_path, "0 1,1", "7 8,1", "100000 0,1")
    refused(
        "line 3 of .*: the token 8 at position 1 is of kind 'operation' and must be less than 8",
        *(path, kinds, {"operation": 8}),
    )
    refused("line 4 of .*: the token 100000 at position 0 .* must be less than 99999", path, kinds, None)
    path = table_of(tmp_path, "0 1,1")
    refused("vocabulary must give a size for each of the kinds .*, not for .*'x'", path, kinds, {"x": 8})


def test_benchmarks_need_no_kinds_and_their_names_are_guessed(tmp_path: Path) -> None:
    refused("micro-digits says itself what its tokens mean: leave out --kinds", "micro-digits", ("token",), None)
    refused("micro-digits says itself what its tokens mean", "micro-digits", None, {"token": 3})
    refused("there is no file micro-digit, .* did you mean 'micro-digits'", "micro-digit", None, None)
    refused("cannot be read", str(tmp_path / "other.npz"), None, None)
    assert isinstance(read_table("micro-digits", None, None), ScoredTable)
