import pytest

from pnas_tools._report._words import amount, count, duration, level_name, ordinal


def test_counts() -> None:
    assert [count(n, "child", "children") for n in (0, 1, 1160)] == ["0 children", "1 child", "1,160 children"]


def test_ordinals() -> None:
    assert [ordinal(n) for n in (1, 2, 3, 4, 11, 12, 13, 21, 102, 111, 1023)] == [
        *("1st", "2nd", "3rd", "4th", "11th", "12th", "13th", "21st", "102nd", "111th", "1,023rd"),
    ]


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0, "0.0 s"), (1.26, "1.3 s"), (60, "1 min"), (1752, "29 min 12 s"), (7500, "2 h 5 min"), (273600, "3 d 4 h")],
)
def test_durations(seconds: float, words: str) -> None:
    assert duration(seconds) == words


@pytest.mark.parametrize(
    ("number", "words"),
    [(812, "812"), (999.6, "1 k"), (53_766, "53.8 k"), (999_950, "1 M"), (3_189_082, "3.19 M"), (25e9, "25 G")],
)
def test_amounts(number: float, words: str) -> None:
    assert amount(number) == words


def test_levels_tell_how_long_they_train() -> None:
    assert level_name((1, 1)) == "1 block"
    assert level_name((15, 5)) == "5 blocks, 15 times as long"
