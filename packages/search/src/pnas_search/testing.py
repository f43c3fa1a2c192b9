"""The laws that strategies and evaluators keep, as tests: inherit a suite, and pytest puts what is yours to them."""

from pnas_search._testing._asking_laws import AskingLaws
from pnas_search._testing._candidate_laws import CandidateLaws
from pnas_search._testing._evaluator_laws import EvaluatorSuite
from pnas_search._testing._learning_laws import LearningLaws
from pnas_search._testing._outcome_laws import OutcomeLaws

__all__ = ["EvaluatorSuite", "StrategySuite"]


class StrategySuite(CandidateLaws, AskingLaws, OutcomeLaws, LearningLaws):
    """Tests of one strategy.

        class TestMine(StrategySuite):
            def make(self, space, seed):
                return MyStrategy(space, n_models=40, seed=seed)

    A strategy without seeds leaves the seed aside, and `is_seeded` is False. Make one whose searches are over soon, as
    the suite makes fifty.

    Attributes:
        spaces: the search spaces that it is tested in.
        n_models: how many cells it may ask for in all.
        round_size: how many it may ask for in one round.
        is_seeded: whether another seed is another search, in the first of the spaces.
        beats_random: whether, where every operation has an effect on the accuracy, it finds better cells than random
            search does with as many models, in the mean over ten seeds and in the largest of the spaces.
    """
