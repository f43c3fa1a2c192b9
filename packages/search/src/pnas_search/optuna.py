"""Optuna studies of cells: a sampler that searches as a strategy does, and what suggests a cell to the objective."""

from importlib.util import find_spec

if find_spec("optuna") is None:
    raise ImportError('pnas_search.optuna needs Optuna: pip install "pnas-search[optuna]"')

from pnas_search._optuna._parameters import suggest_cell
from pnas_search._optuna._sampler import ProgressiveSampler

__all__ = ["ProgressiveSampler", "suggest_cell"]
