from datetime import datetime
from typing import NamedTuple


class Value(NamedTuple):
    """A metric of MLflow's, which takes one that it has already as the same one.

    Attributes:
        name: of the metric.
        value: whatever it measures.
        at: in milliseconds since 1970. From the ledger, so that it is the same when it is sent again.
        step: along the series.
    """

    name: str
    value: float
    at: int
    step: int = 0


def milliseconds(moment: datetime) -> int:
    """Since 1970, as MLflow tells the time."""
    return int(moment.timestamp() * 1000)
