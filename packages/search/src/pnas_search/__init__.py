"""Decides which cells to train next, and never loses a result."""

from pnas_search._benchmark._evaluator import BenchmarkEvaluator
from pnas_search._benchmark._features import cell_features, read_features
from pnas_search._benchmark._interpolator import Interpolator
from pnas_search._benchmark._load import BENCHMARKS, load_benchmark
from pnas_search._benchmark._table import SOURCES, Benchmark, BenchmarkCell, BenchmarkRow
from pnas_search._benchmark._trees import Trees
from pnas_search._errors import LedgerError, SearchError
from pnas_search._evaluation import Evaluator, Outcome, Report, Request, Started
from pnas_search._executors._processes import ProcessPool
from pnas_search._ledger._ledger import Ledger
from pnas_search._ledger._reading import LevelCost
from pnas_search._ledger._rows import LedgerRow
from pnas_search._search import ChildFinished, Event, RoundStarted, search
from pnas_search._seeds import child_seed
from pnas_search._strategies._base import Candidate, Predictions, Strategy
from pnas_search._strategies._listed import Listed
from pnas_search._strategies._progressive import Predictor, Progressive

__all__ = [
    "BENCHMARKS",
    "SOURCES",
    "Benchmark",
    "BenchmarkCell",
    "BenchmarkEvaluator",
    "BenchmarkRow",
    "Candidate",
    "ChildFinished",
    "Evaluator",
    "Event",
    "Interpolator",
    "Ledger",
    "LedgerError",
    "LedgerRow",
    "LevelCost",
    "Listed",
    "Outcome",
    "Predictions",
    "Predictor",
    "ProcessPool",
    "Progressive",
    "Report",
    "Request",
    "RoundStarted",
    "SearchError",
    "Started",
    "Strategy",
    "Trees",
    "cell_features",
    "child_seed",
    "load_benchmark",
    "read_features",
    "search",
]
__version__ = "0.1.0"
