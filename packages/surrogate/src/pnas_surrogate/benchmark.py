"""How well predictors rank sequences larger than those they were fitted to (section 5.2 of the paper, Algorithm 2).

It takes a table of scored sequences, of any space. A sequence's size is its number of groups, in the paper blocks.
"""

from collections.abc import Callable, Mapping, Sequence

from numpy.typing import ArrayLike
from sklearn.base import RegressorMixin

from pnas_surrogate._benchmark._draws import Draw, Lottery
from pnas_surrogate._benchmark._evaluation import Evaluation, Predictions, Trials
from pnas_surrogate._benchmark._interval import Interval
from pnas_surrogate._benchmark._repeats import between_repeats
from pnas_surrogate._benchmark._table import Table
from pnas_surrogate._errors import SurrogateError
from pnas_surrogate._sequences import Sequences
from pnas_surrogate._spec import SequenceSpec

__all__ = ["Evaluation", "Interval", "Predictions", "Trials", "between_repeats", "evaluate"]

_FEWEST = 2  # sequences that have an order


def evaluate(
    predictors: Mapping[str, RegressorMixin],
    X: Sequences,
    y: ArrayLike,
    spec: SequenceSpec,
    *,
    n_trials: int = 20,
    n_samples: int = 256,
    n_targets: int | None = None,
    cumulative: bool = False,
    seed: int = 0,
    on_trials: Callable[[Trials], None] = lambda _: None,
) -> Evaluation:
    """Fit predictors to samples of every size, again and again, and see how they rank sequences of the next.

    For every size that has a larger one in the table, every trial draws K sequences of it, fits a clone of each
    predictor to them, and has it predict these, those of the same size that are left, and the next size. All predictors
    see the same sequences, and every parameter that is named `random_state` is set anew in every trial. In a table of
    one size, the sequences that are left take the place of the next size.

    Trials draw from one table, so a confidence interval says how much it matters which sequences are drawn and what
    chance does in fitting, and not how much another table would differ.

    Args:
        predictors: by name, unfitted: regressors as scikit-learn defines them. They get arrays `(n, L)`, where L is the
            length of the longest sequence in the table, and shorter ones are filled up with -1.
        X: N sequences, all different.
        y: their scores, `(N,)`; higher is better.
        spec: what the positions mean.
        n_trials: T.
        n_samples: K; a size that has fewer gives all of them.
        n_targets: R, the sequences of the next size that are drawn; None for all.
        cumulative: whether K sequences of every smaller size are trained on too, as in a search.
        seed: of everything that is random.
        on_trials: called whenever one predictor has finished one size.

    Raises:
        SurrogateError: a sequence does not fit the spec or comes twice, a score is missing or not finite, a number is
            out of range, or there are too few sequences.
    """
    if not predictors:
        raise SurrogateError("expected one or more predictors, got none")
    table = Table.of(X, y, spec)
    _check_numbers(n_trials=(n_trials, 1), n_samples=(n_samples, 2), n_targets=(n_targets, 2), seed=(seed, 0))
    _check_sizes(table, n_samples)
    lottery = Lottery(by_size=table.by_size, n_samples=n_samples, n_targets=n_targets, cumulative=cumulative, seed=seed)
    *sizes, largest = table.by_size
    found = []
    for size in sizes or [largest]:
        draws = [lottery.draw(size, trial) for trial in range(n_trials)]
        for name, predictor in predictors.items():
            found.append(_trials(table, name, predictor, size, lottery.next_size(size), draws))
            on_trials(found[-1])
    return Evaluation(trials=tuple(found))


def _trials(
    table: Table, name: str, predictor: RegressorMixin, size: int, next_size: int | None, draws: Sequence[Draw]
) -> Trials:
    fitted = [table.fit(predictor, draw) for draw in draws]
    unseen = table.predictions(fitted, [draw.unseen for draw in draws])
    same_size = None
    if next_size is None:
        same_size = unseen
    elif len(draws[0].same_size) >= _FEWEST:
        same_size = table.predictions(fitted, [draw.same_size for draw in draws])
    return Trials(
        predictor=name,
        size=size,
        next_size=next_size,
        training=table.predictions(fitted, [draw.training for draw in draws]),
        same_size=same_size,
        unseen=unseen,
    )


def _check_numbers(**numbers: tuple[int | None, int]) -> None:
    for name, (number, smallest) in numbers.items():
        if number is not None and number < smallest:
            raise SurrogateError(f"{name} must be {smallest} or more, not {number!r}")


def _check_sizes(table: Table, n_samples: int) -> None:
    for size, indices in table.by_size.items():
        if len(indices) < _FEWEST:
            raise SurrogateError(
                f"there is one sequence of size {size}, which ranks nothing: give more, or leave it out"
            )
    if len(table.by_size) == 1 and len(indices) < n_samples + _FEWEST:
        raise SurrogateError(
            f"all {len(indices)} sequences have size {size}, and {n_samples} samples leave fewer than {_FEWEST} of "
            "them to rank: give more sequences, or ask for fewer samples"
        )
