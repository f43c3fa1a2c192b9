from pathlib import Path

import pytest

from pnas_tools._errors import BadInput
from pnas_tools._surrogate_csv import ScoredLine, read_lines


def test_lines_are_read_whoever_wrote_them(tmp_path: Path) -> None:
    table = tmp_path / "table.csv"
    table.write_bytes(b'\xef\xbb\xbfsequence, score\r\n0 10,0.5\r\n\r\n"3  4 5",-1e-3\r\n')
    assert read_lines(table) == [
        ScoredLine(number=2, sequence=(0, 10), scores=(0.5,)),
        ScoredLine(number=4, sequence=(3, 4, 5), scores=(-0.001,)),
    ]


def test_a_second_score_may_be_missing(tmp_path: Path) -> None:
    table = tmp_path / "table.csv"
    table.write_text("sequence,score,second_score\n1,0.5,0.6\n2,0.7,\n")
    assert [line.scores for line in read_lines(table)] == [(0.5, 0.6), (0.7,)]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "the first line of {} must be sequence,score or sequence,score,second_score, not ''"),
        ("cell,accuracy\n1,2\n", "the first line of {} must be .*, not 'cell,accuracy'"),
        ("sequence,score\n", "{} has no line below its header: expected one for every scored sequence"),
        ("sequence,score\n1 2\n", r"line 2 of {}: expected 2 fields \(sequence,score\), not 1"),
        ("sequence,score\n1,2,3\n", "line 2 of {}: expected 2 fields"),
        (
            "sequence,score\n1,2\n,2\n",
            "line 3 of {}: the sequence is empty; expected integers with spaces between them",
        ),
        ("sequence,score\n1 x,2\n", "line 2 of {}: the token 'x' must be an integer from 0 on"),
        ("sequence,score\n1 -1,2\n", "line 2 of {}: the token '-1' must be"),
        ("sequence,score\n1.5,2\n", "line 2 of {}: the token '1.5' must be"),
        ("sequence,score\n1_0,2\n", "line 2 of {}: the token '1_0' must be"),
        ("sequence,score\n9999999999,2\n", "line 2 of {}: the token '9999999999' must be"),
        ("sequence,score\n1,\n", "line 2 of {}: the score '' must be a finite number"),
        ("sequence,score\n1,nan\n", "line 2 of {}: the score 'nan' must be a finite number"),
        ("sequence,score,second_score\n1,2,inf\n", "line 2 of {}: the score 'inf' must be a finite number"),
        ("sequence,score\n1,\udcff\n", "{} must be a CSV file in UTF-8, but: .*can't decode byte 0xff"),
    ],
)
def test_a_line_that_is_not_as_it_must_be_is_named(text: str, message: str, tmp_path: Path) -> None:
    table = tmp_path / "table.csv"
    table.write_bytes(text.encode(errors="surrogateescape"))
    with pytest.raises(BadInput, match=message.format(table)):
        read_lines(table)


@pytest.mark.parametrize("name", ["missing.csv", "."])
def test_what_cannot_be_read_is_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=f"the table {tmp_path / name} cannot be read .*: is the path right?"):
        read_lines(tmp_path / name)
