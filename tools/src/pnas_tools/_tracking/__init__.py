"""A search copied from its ledger to MLflow, where people look."""

from pnas_tools._tracking._copy import opened_copy
from pnas_tools._tracking._follow import in_words
from pnas_tools._tracking._memory import is_complete, remembered_uri
from pnas_tools._tracking._tracker import MlflowTracker

__all__ = ["MlflowTracker", "in_words", "is_complete", "opened_copy", "remembered_uri"]
