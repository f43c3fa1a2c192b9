"""Decides which cells to train next, and never loses a result."""

from pnas_search._errors import LedgerError, SearchError
from pnas_search._evaluation import Evaluator, Outcome, Request
from pnas_search._executors._processes import ProcessPool
from pnas_search._ledger import Ledger, LedgerRow
from pnas_search._search import ChildFinished, Event, RoundStarted, search
from pnas_search._seeds import child_seed
from pnas_search._strategies._base import Candidate, Strategy
from pnas_search._strategies._progressive import Predictor, Progressive

__all__ = [
    "Candidate",
    "ChildFinished",
    "Evaluator",
    "Event",
    "Ledger",
    "LedgerError",
    "LedgerRow",
    "Outcome",
    "Predictor",
    "ProcessPool",
    "Progressive",
    "Request",
    "RoundStarted",
    "SearchError",
    "Strategy",
    "child_seed",
    "search",
]
__version__ = "0.1.0"
