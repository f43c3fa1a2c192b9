"""Learns to predict a score from a token sequence, with uncertainty, as a scikit-learn regressor."""

from pnas_surrogate._base import MemberPredictor
from pnas_surrogate._ensemble import Ensemble
from pnas_surrogate._errors import SurrogateError
from pnas_surrogate._mlp import MLPPredictor
from pnas_surrogate._spec import SequenceSpec

__all__ = ["Ensemble", "MLPPredictor", "MemberPredictor", "SequenceSpec", "SurrogateError"]
__version__ = "0.1.0"
