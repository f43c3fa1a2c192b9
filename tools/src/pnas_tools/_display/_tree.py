"""A search as a tree of its levels, for a terminal."""

from rich.console import Group, RenderableType
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text
from rich.tree import Tree

from pnas_tools._display._levels import LevelProgress, Snapshot
from pnas_tools._display._words import best_text, duration_text, level_text, pace_text

_BAR_WIDTH = 24


def tree_of(title: str, snapshot: Snapshot) -> RenderableType:
    """The levels with what is done of each, and below them the pace, the time left and the best cell."""
    tree = Tree(Text(title))
    label_width, count_width = (
        max((len(text(level)) for level in snapshot.levels), default=0) for text in (level_text, _count)
    )
    for level in snapshot.levels:
        tree.add(_level(level, label_width, count_width))
    return Group(tree, *_below(snapshot))


def _level(level: LevelProgress, label_width: int, count_width: int) -> RenderableType:
    row = Table.grid(padding=(0, 2, 0, 0))
    row.add_column(width=label_width)
    row.add_column(max_width=_BAR_WIDTH)  # the one that gives way where the terminal is narrow
    row.add_column(width=count_width, justify="right")
    row.add_column(no_wrap=True)
    said = []
    if level.best is not None:
        said.append(f"best {level.best:.4f}")
    if level.n_failed:
        said.append(f"{level.n_failed:,} failed")
    bar = ProgressBar(total=max(level.n_planned, 1), completed=level.n_done)
    row.add_row(level_text(level), bar, _count(level), "  ".join(said), style="" if level.n_done else "dim")
    return row


def _count(level: LevelProgress) -> str:
    return f"{level.n_done:,} of {level.n_planned:,}"


def _below(snapshot: Snapshot) -> list[Text]:
    parts = [f"{snapshot.n_done:,} of {snapshot.n_planned:,} children", *pace_text(snapshot)]
    if snapshot.seconds_left is not None and snapshot.n_done < snapshot.n_planned:
        parts.append(f"{duration_text(snapshot.seconds_left)} left")
    lines = [Text("  ".join(parts))]
    if snapshot.best is not None:
        lines.append(Text(f"{best_text(snapshot)}  {snapshot.best[0]}", overflow="ellipsis", no_wrap=True))
    return lines
