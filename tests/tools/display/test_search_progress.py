import io
import itertools

from rich.console import Console

from pnas_search import Candidate, ChildFinished, LedgerRow, Outcome, Request, RoundStarted
from pnas_searchspace import Cell
from pnas_tools._display._search_progress import SearchProgress
from pnas_tools._display._workload import Workload
from pnas_tools._plan import Level

CELL = Cell([[-1, "identity", -2, "identity"]])
REQUEST = Request(cell=CELL, seed=0, parent=None)


def outcome(accuracy: float) -> Outcome:
    return Outcome(status="finished", accuracy=accuracy, accuracies=(accuracy,), n_examples=100, seconds=1.0)


def row(position: int, finished: Outcome | None) -> LedgerRow:
    return LedgerRow(round=0, position=position, candidate=Candidate(cell=CELL), seed=0, outcome=finished)


def shown(*, terminal: bool) -> str:
    """What is shown of a level of four children, the first of them from an earlier run."""
    screen = io.StringIO()
    console = Console(file=screen, force_terminal=terminal, width=100, color_system=None, _environ={"TERM": "xterm"})
    seconds = itertools.count(0, 20)
    workload = Workload([Level(n_blocks=1, n_children=4)])
    with SearchProgress(console, "runs/one", workload, clock=lambda: next(seconds)) as progress:
        progress(RoundStarted(index=0, rows=[row(0, outcome(0.5)), *(row(i, None) for i in (1, 2, 3))]))
        for accuracy in (0.25, 0.75, 0.125):
            progress(ChildFinished(request=REQUEST, outcome=outcome(accuracy)))
    return screen.getvalue()


def test_a_log_gets_lines_with_level_children_best_and_time_left() -> None:
    lines = shown(terminal=False).strip().splitlines()  # older rich ends with an empty line
    assert lines[0] == "round 1  2 of 4 children  best 0.5000"  # of one child there is no pace
    assert lines[1].startswith("round 1  3 of 4 children  best 0.7500  ")
    assert lines[1].endswith(" left")
    assert lines[-1] == "round 1  4 of 4 children  best 0.7500"


def test_a_terminal_gets_a_tree_that_stays() -> None:
    screen = shown(terminal=True)
    assert "round 1" not in screen
    title, level, pace, best = screen.replace("\x1b[?25h", "").strip().splitlines()[-4:]
    assert title.endswith("runs/one")
    assert level.startswith("└── 1 block ")
    assert level.rstrip().endswith("4 of 4  best 0.7500")
    assert pace.startswith("4 of 4 children  ")
    assert best.startswith(f"best 0.7500  {CELL}")
