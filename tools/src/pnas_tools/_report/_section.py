from collections.abc import Sequence
from dataclasses import dataclass

from pnas_tools._report._chart import Chart


@dataclass(frozen=True, kw_only=True)
class Section:
    """A part of the report that figures make.

    Attributes:
        name: what links to it.
        heading: a few words.
        message: what to see in it, in this search's own numbers.
        notes: how to read it, and what to beware of.
        charts: beside each other where there is room.
        sizes: numbers of blocks that the legend explains the colours of.
    """

    name: str
    heading: str
    message: str
    notes: Sequence[str] = ()
    charts: Sequence[Chart] = ()
    sizes: Sequence[int] = ()
