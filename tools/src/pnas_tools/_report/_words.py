"""Numbers as people say them."""


def count(number: int, singular: str, plural: str | None = None) -> str:
    """`1 cell`, `1,160 cells`."""
    return f"{number:,} {singular if number == 1 else plural or singular + 's'}"


def ordinal(number: int) -> str:
    """`1st`, `22nd`, `113th`."""
    ending = "th" if number % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number:,}{ending}"


def duration(seconds: float) -> str:
    """In the two largest units: `1.3 s`, `29 min 12 s`, `2 h 5 min`, `3 d 4 h`."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    total = round(seconds)
    for unit, size, smaller, smaller_size in (("d", 86400, "h", 3600), ("h", 3600, "min", 60), ("min", 60, "s", 1)):
        if total >= size:
            rest = total % size // smaller_size
            return f"{total // size:,} {unit}" + (f" {rest} {smaller}" if rest else "")
    raise AssertionError(seconds)


def amount(number: float) -> str:
    """With three digits: `812`, `53.8 k`, `3.19 M`, `25 G`."""
    for size, unit in ((1e9, " G"), (1e6, " M"), (1e3, " k")):
        if number >= 0.9995 * size:  # three digits round up
            return f"{number / size:.3g}{unit}"
    return f"{number:.3g}"


def level_name(level: tuple[int, int]) -> str:
    """`3 blocks`, `5 blocks, 15 times as long`."""
    fidelity, n_blocks = level
    return count(n_blocks, "block") + (f", {fidelity} times as long" if fidelity > 1 else "")
