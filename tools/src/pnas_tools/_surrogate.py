from collections.abc import Callable

from pnas_search import Predictor
from pnas_searchspace import CellSpace
from pnas_tools._config import SearchConfig
from pnas_tools._errors import BadInput


def check_surrogate(config: SearchConfig, space: CellSpace) -> None:
    """Raise `BadInput` where the first fit would have fewer children than the ensemble has members."""
    n_cells = len(space.one_block_cells())
    if config.n_blocks > 1 and n_cells < config.n_members:
        raise BadInput(
            f"--members {config.n_members} needs as many cells of one block, and --operations gives {n_cells}: "
            "pass fewer members or more operations"
        )


def load_surrogate() -> None:
    """Import what surrogates are made of, and see that their sums do not depend on how many cores there are."""
    import torch

    import pnas_surrogate  # noqa: F401  # later, MLflow's thread would be importing at the same time

    torch.set_num_threads(1)


def surrogate_factory(config: SearchConfig, space: CellSpace) -> Callable[[int], Predictor]:
    """The paper's MLP ensemble (sections 4.2 and 5.1), made anew for every level of a search."""

    def make(n_blocks_fitted: int) -> Predictor:
        from pnas_surrogate import Ensemble, MLPPredictor, SequenceSpec

        predictor = MLPPredictor(
            SequenceSpec(kinds=("input", "operation") * 2, vocabulary=space.vocabulary(config.n_blocks)),
            learning_rate=(
                config.surrogate_first_learning_rate if n_blocks_fitted == 1 else config.surrogate_learning_rate
            ),
            n_epochs=config.surrogate_epochs,
            batch_size=config.surrogate_batch_size,
            random_state=config.seed,
        )
        return Ensemble(predictor, n_members=config.n_members, random_state=config.seed)

    return make
