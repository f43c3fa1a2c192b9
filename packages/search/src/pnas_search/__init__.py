"""Decides which cells to train next, and never loses a result."""

from pnas_search._benchmark._evaluator import BenchmarkEvaluator
from pnas_search._benchmark._features import cell_features
from pnas_search._benchmark._interpolator import Interpolator
from pnas_search._benchmark._load import BENCHMARKS, load_benchmark
from pnas_search._benchmark._table import SOURCES, Benchmark, BenchmarkCell, BenchmarkRow
from pnas_search._benchmark._trees import Trees
from pnas_search._costs import LinearCosts
from pnas_search._errors import DamagedLedgerError, LedgerError, SearchError
from pnas_search._evaluation import Evaluator, Outcome, Report, Request, Started
from pnas_search._executors._in_process import InProcess
from pnas_search._executors._processes import ProcessPool
from pnas_search._executors._ray import RayExecutor
from pnas_search._executors._ray_file import RayFile
from pnas_search._ledger._ledger import Ledger
from pnas_search._ledger._reading import LevelCost
from pnas_search._ledger._rows import LedgerRow
from pnas_search._pareto import hypervolume, pareto_front
from pnas_search._reads import read_features
from pnas_search._search import ChildFinished, Event, RoundStarted, search
from pnas_search._seeds import child_seed
from pnas_search._strategies._base import Candidate, Predictions, Strategy
from pnas_search._strategies._listed import Listed
from pnas_search._strategies._local_search import LocalSearch
from pnas_search._strategies._monte_carlo_tree_search import MonteCarloTreeSearch
from pnas_search._strategies._progressive._adaptive_beam import AdaptiveBeam
from pnas_search._strategies._progressive._front import ParetoFront
from pnas_search._strategies._progressive._predictor import Predictor
from pnas_search._strategies._progressive._prior import Prior
from pnas_search._strategies._progressive._progressive import Progressive
from pnas_search._strategies._random import Random
from pnas_search._strategies._regularized_evolution import RegularizedEvolution
from pnas_search._strategies._reinforce._config import ReinforceConfig
from pnas_search._strategies._reinforce._reinforce import Reinforce
from pnas_search._strategies._reranked import Reranked
from pnas_search._strategies._unseen import Allowed, all_allowed

__all__ = [
    "BENCHMARKS",
    "SOURCES",
    "AdaptiveBeam",
    "Allowed",
    "Benchmark",
    "BenchmarkCell",
    "BenchmarkEvaluator",
    "BenchmarkRow",
    "Candidate",
    "ChildFinished",
    "DamagedLedgerError",
    "Evaluator",
    "Event",
    "InProcess",
    "Interpolator",
    "Ledger",
    "LedgerError",
    "LedgerRow",
    "LevelCost",
    "LinearCosts",
    "Listed",
    "LocalSearch",
    "MonteCarloTreeSearch",
    "Outcome",
    "ParetoFront",
    "Predictions",
    "Predictor",
    "Prior",
    "ProcessPool",
    "Progressive",
    "Random",
    "RayExecutor",
    "RayFile",
    "RegularizedEvolution",
    "Reinforce",
    "ReinforceConfig",
    "Report",
    "Request",
    "Reranked",
    "RoundStarted",
    "SearchError",
    "Started",
    "Strategy",
    "Trees",
    "all_allowed",
    "cell_features",
    "child_seed",
    "hypervolume",
    "load_benchmark",
    "pareto_front",
    "read_features",
    "search",
]
__version__ = "0.1.0"
