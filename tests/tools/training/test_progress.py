import io

from rich.console import Console

from pnas_tools._training._progress import TrainingProgress


def test_a_log_has_a_line_every_ten_seconds_and_one_at_the_end() -> None:
    text, times = io.StringIO(), iter([0.0, 1.0, 5.0, 12.0, 13.0, 14.0])
    with TrainingProgress(Console(file=text, width=100), 2, clock=lambda: next(times)) as progress:
        progress(0.5, ())  # at 1 s
        progress(0.75, ())  # at 5 s
        progress(1.0, (0.5,))  # at 12 s: half an epoch took 11 s, and one is left
        progress(1.5, (0.5,))
        progress(2.0, (0.5, 0.75))
    assert text.getvalue().splitlines() == [
        "epoch 2 of 2  test accuracy 0.5000  0:00:22 left",
        "epoch 2 of 2  test accuracy 0.7500",
    ]


def test_a_terminal_has_one_live_line_that_goes_away() -> None:
    text = io.StringIO()
    with TrainingProgress(Console(file=text, width=100, force_terminal=True), 2) as progress:
        progress(1.0, (0.5,))
    assert "epoch 2 of 2" in text.getvalue()
    assert "test accuracy 0.5000" in text.getvalue()
    assert text.getvalue().endswith("\x1b[2K")
