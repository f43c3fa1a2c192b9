import io

from rich.console import Console

from pnas_searchspace import Cell
from pnas_tools._display._levels import LevelProgress, Snapshot
from pnas_tools._display._tree import tree_of

CELL = Cell([[-1, "identity", -2, "identity"]])


def shown(snapshot: Snapshot, width: int = 100) -> list[str]:
    screen = io.StringIO()
    Console(file=screen, width=width).print(tree_of("runs/[one]", snapshot))
    return [line.rstrip() for line in screen.getvalue().splitlines()]


def test_every_level_has_a_branch_whose_columns_are_aligned() -> None:
    levels = [
        LevelProgress(n_blocks=1, fidelity=1, n_planned=136, n_done=136, n_failed=3, best=0.75),
        LevelProgress(n_blocks=2, fidelity=1, n_planned=1256, n_done=9),
        LevelProgress(n_blocks=2, fidelity=15, n_planned=250),
    ]
    lines = shown(Snapshot(levels=levels, best=(CELL, 0.75), children_per_second=3.0, seconds_left=61.0))
    assert lines[0] == "runs/[one]"
    assert [line.split("  ")[0] for line in lines[1:4]] == ["├── 1 block", "├── 2 blocks", "└── 2 blocks, 15 x epochs"]
    counts = ["136 of 136", "9 of 1,256", "0 of 250"]
    assert all(f"  {text}" in line for line, text in zip(lines[1:4], counts, strict=True))
    assert len({line.index(text) + len(text) for line, text in zip(lines[1:4], counts, strict=True)}) == 1
    assert lines[1].endswith("136 of 136  best 0.7500  3 failed")
    assert lines[4:] == ["145 of 1,642 children  3.0 children/s  1:01 left", f"best 0.7500  {CELL}"]


def test_in_a_narrow_terminal_the_bar_gives_way() -> None:
    level = LevelProgress(n_blocks=1, fidelity=1, n_planned=136, n_done=136, best=0.75)
    wide, narrow = (shown(Snapshot(levels=[level]), width)[1] for width in (100, 44))
    for line in (wide, narrow):
        assert line.startswith("└── 1 block")
        assert line.endswith("136 of 136  best 0.7500")
    assert len(narrow) <= 44 < len(wide)


def test_a_long_cell_is_cut_where_the_terminal_ends() -> None:
    lines = shown(Snapshot(levels=[], best=(Cell([*CELL] * 8), 0.5)), width=60)
    assert len(lines) == 3
    assert lines[-1].endswith("…")
    assert len(lines[-1]) <= 60
