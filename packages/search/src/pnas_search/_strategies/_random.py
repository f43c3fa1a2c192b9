import numpy as np

from pnas_search._strategies._base import Candidate
from pnas_search._strategies._budgeted import Budgeted


class Random(Budgeted):
    """Random search (section 5.3 of the paper): every cell up to isomorphism is equally likely, and comes once.

    Args:
        space: of the cells.
        n_blocks: the size of the cells.
        n_models: how many are trained in all, or as many as there are.
        round_size: how many make a round.
        seed: of the draws.
        allowed: says which cells may be trained.

    Raises:
        SearchError: a size that is not positive, or a negative seed.
    """

    def _round(self, size: int, rng: np.random.Generator) -> list[Candidate]:
        return self._random(size, rng)
