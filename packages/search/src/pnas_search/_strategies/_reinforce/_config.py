from dataclasses import dataclass, fields
from typing import Literal

from pnas_search._errors import SearchError

Algorithm = Literal["ppo", "reinforce"]


@dataclass(frozen=True, kw_only=True)
class ReinforceConfig:
    """How the policy of `Reinforce` is made, and how it learns.

    The defaults are the NASNet paper's (Zoph et al., CVPR 2018, appendix A) but for those of which it says nothing.

    Attributes:
        hidden_size: units of the LSTM.
        embedding_size: D of a token; NASNet says nothing.
        initial_range: all weights start uniform in [-initial_range, initial_range].
        learning_rate: Adam's. NASNet's is with PPO; Zoph & Le (ICLR 2017) take 6e-4 with REINFORCE.
        baseline_decay: how much of the moving average of rewards stays when one more comes.
        entropy_weight: of the entropy of a cell's tokens in what is maximized.
        clip: how far PPO rewards a token's probability for moving, as a ratio to what it was when it was drawn; NASNet
            says nothing, and 0.2 is the best in PPO's paper (Schulman et al., 2017, section 6.1).
        n_epochs: PPO's steps on a round; NASNet says nothing, and PPO's paper takes 3 to 15. REINFORCE makes one.
        draws_per_child: how many times as many draws as children a round may take; NASNet trains cells again.

    Raises:
        SearchError: a value that is not positive, where 0 is allowed for `entropy_weight` and `baseline_decay`, or a
            `baseline_decay` of 1 or more.
    """

    hidden_size: int = 100
    embedding_size: int = 100
    initial_range: float = 0.1
    learning_rate: float = 3.5e-4
    baseline_decay: float = 0.95
    entropy_weight: float = 1e-5
    clip: float = 0.2
    n_epochs: int = 3
    draws_per_child: int = 10

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            may_be_zero = field.name in ("baseline_decay", "entropy_weight")
            if value < 0 or (value == 0 and not may_be_zero):
                raise SearchError(
                    f"{field.name} must be {'0 or more' if may_be_zero else 'more than 0'}, not {value!r}"
                )
        if self.baseline_decay >= 1:
            raise SearchError(f"baseline_decay must be less than 1, not {self.baseline_decay!r}")
