"""The laws that a predictor keeps, as tests: inherit `PredictorSuite`, and pytest puts your predictor to them."""

from pnas_surrogate._testing._estimator_laws import EstimatorLaws
from pnas_surrogate._testing._file_laws import FileLaws
from pnas_surrogate._testing._fitting_laws import FittingLaws
from pnas_surrogate._testing._learning_laws import LearningLaws
from pnas_surrogate._testing._prediction_laws import PredictionLaws
from pnas_surrogate._testing._refusal_laws import RefusalLaws
from pnas_surrogate._testing._space import SPACES, Space

__all__ = ["SPACES", "PredictorSuite", "Space"]


class PredictorSuite(PredictionLaws, FittingLaws, EstimatorLaws, LearningLaws, RefusalLaws, FileLaws):
    """Tests of one predictor, which need not be a `Predictor`: a scikit-learn regressor of token sequences will do.

        class TestMine(PredictorSuite):
            def make(self, spec):
                return MyPredictor(spec)

    Errors must be `SurrogateError`s; files are tested where there is a method `save`. Make one that fits quickly, as
    the suite fits it 150 times.

    Attributes:
        spaces: the search spaces that it is tested in.
        n_fewest: samples that it must be able to fit.
        least_correlation: how well it must rank unseen sequences by Spearman's correlation, after 200 samples.
        tolerance: by what part of the range of scores predictions may differ that should be equal.
        affine_tolerance: the same where scores were scaled and shifted, and so rounded otherwise.
    """
