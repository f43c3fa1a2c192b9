from pnas_surrogate._base import Predictor
from pnas_surrogate._gaussian_process._predictor import GaussianProcess
from pnas_surrogate._spec import SequenceSpec


def recommended(spec: SequenceSpec) -> Predictor:
    """The predictor that we would use ourselves, for any space, with nothing to be set."""
    return GaussianProcess(spec)
