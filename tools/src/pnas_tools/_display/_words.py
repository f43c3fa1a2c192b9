"""What is known of a search, in words."""

from pnas_tools._display._levels import LevelProgress, Snapshot


def level_text(level: LevelProgress) -> str:
    size = "1 block" if level.n_blocks == 1 else f"{level.n_blocks} blocks"
    return size if level.fidelity == 1 else f"{size}, {level.fidelity} x epochs"


def best_text(snapshot: Snapshot) -> str:
    return "" if snapshot.best is None else f"best {snapshot.best[1]:.4f}"


def pace_text(snapshot: Snapshot) -> list[str]:
    """Children and images in a time that leaves few of them."""
    said = []
    if snapshot.children_per_second:
        per_second = snapshot.children_per_second
        said.append(f"{per_second:.1f} children/s" if per_second >= 0.1 else f"{60 * per_second:.2g} children/min")
    if snapshot.images_per_second:
        said.append(f"{snapshot.images_per_second:,.0f} images/s")
    return said


def duration_text(seconds: float) -> str:
    """Hours, minutes and seconds."""
    minutes, whole = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{whole:02}" if hours else f"{minutes}:{whole:02}"


def line_of(place: str, snapshot: Snapshot) -> str:
    """A search on one line, for a log."""
    parts = [place, f"{snapshot.n_done} of {snapshot.n_planned} children", best_text(snapshot)]
    if snapshot.seconds_left is not None and snapshot.n_done < snapshot.n_planned:
        parts.append(f"{duration_text(snapshot.seconds_left)} left")
    return "  ".join(part for part in parts if part)
