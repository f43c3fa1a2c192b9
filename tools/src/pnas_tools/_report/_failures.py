"""Children that failed, and why."""

from collections.abc import Sequence
from dataclasses import dataclass

from pnas_tools._report._child import Child
from pnas_tools._report._search_data import SearchData
from pnas_tools._report._words import count


@dataclass(frozen=True, kw_only=True)
class Failure:
    """Children that failed alike.

    Attributes:
        how: their status, in words.
        message: of all of them.
        children: in the order in which they were asked for.
    """

    how: str
    message: str
    children: Sequence[Child]


def failures(search: SearchData) -> list[Failure]:
    """Every way in which children failed, the most frequent first."""
    alike: dict[tuple[str, str], list[Child]] = {}
    for child in search.children:
        if child.has_failed:
            alike.setdefault((child.status, child.message), []).append(child)
    groups = [
        Failure(how=status.replace("_", " "), message=message, children=children)
        for (status, message), children in alike.items()
    ]
    return sorted(groups, key=lambda failure: -len(failure.children))


def failures_message(search: SearchData) -> str:
    """How many failed, and how many were given up on purpose."""
    failed = sum(child.has_failed for child in search.children)
    stopped = sum(child.status == "stopped" for child in search.children)
    outcomes = sum(child.accuracy is not None for child in search.children) + failed
    told = f"{failed:,} of {count(outcomes, 'child', 'children')} failed" if failed else "No child failed"
    return f"{told}; {stopped:,} stopped early, for falling behind." if stopped else f"{told}."
