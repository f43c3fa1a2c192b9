from collections.abc import Callable
from typing import Any

from pnas_search import Predictor
from pnas_searchspace import CellSpace
from pnas_tools._config import SearchConfig
from pnas_tools._surrogate_predictors import make_predictor


def load_surrogate() -> None:
    """Import what surrogates are made of, and see that their sums do not depend on how many cores there are."""
    import torch

    import pnas_surrogate  # noqa: F401  # later, MLflow's thread would be importing at the same time

    torch.set_num_threads(1)


def surrogate_factory(config: SearchConfig, space: CellSpace) -> Callable[[int], Predictor]:
    """The surrogate of a search, made anew for every level."""

    def make(n_blocks_fitted: int) -> Predictor:
        import torch

        from pnas_surrogate import Ensemble, GaussianProcess, SequenceSpec

        torch.set_num_threads(1)  # anew, as children may have been trained in this process, on more
        spec = SequenceSpec(kinds=("input", "operation") * 2, vocabulary=space.vocabulary(config.n_blocks))
        predictor: Any = make_predictor(config.surrogate, spec).set_params(random_state=config.seed)
        network = predictor
        if isinstance(predictor, Ensemble):
            network = predictor.set_params(n_members=config.n_members).predictor
        if not isinstance(predictor, GaussianProcess):
            first_rate, rate = config.surrogate_first_learning_rate, config.surrogate_learning_rate
            network.set_params(
                learning_rate=first_rate if n_blocks_fitted == 1 else rate,
                n_epochs=config.surrogate_epochs,
                batch_size=config.surrogate_batch_size,
                random_state=config.seed,
            )
        made: Predictor = predictor
        return made

    return make
