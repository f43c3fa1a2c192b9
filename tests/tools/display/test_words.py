import pytest

from pnas_tools._display._levels import LevelProgress, Snapshot
from pnas_tools._display._words import duration_text, level_text, line_of, pace_text


def test_a_level_is_named_by_its_size_and_by_how_long_it_is_trained() -> None:
    assert level_text(LevelProgress(n_blocks=1, fidelity=1, n_planned=1)) == "1 block"
    assert level_text(LevelProgress(n_blocks=5, fidelity=15, n_planned=1)) == "5 blocks, 15 x epochs"


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.4, "0:00"), (59.6, "1:00"), (754, "12:34"), (3600, "1:00:00"), (90_061, "25:01:01")]
)
def test_durations(seconds: float, text: str) -> None:
    assert duration_text(seconds) == text


@pytest.mark.parametrize(
    ("children", "images", "words"),
    [
        (None, None, []),
        (2.94, 12_345.6, ["2.9 children/s", "12,346 images/s"]),
        (0.01, 0.0, ["0.6 children/min"]),
        (400.0, 0.0, ["400.0 children/s"]),
    ],
)
def test_the_pace(children: float | None, images: float | None, words: list[str]) -> None:
    assert pace_text(Snapshot(levels=[], children_per_second=children, images_per_second=images)) == words


def test_no_time_is_left_where_all_is_done() -> None:
    done = Snapshot(levels=[LevelProgress(n_blocks=1, fidelity=1, n_planned=2, n_done=2)], seconds_left=0.0)
    assert line_of("round 1", done) == "round 1  2 of 2 children"
