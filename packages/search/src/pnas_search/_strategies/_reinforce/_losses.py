"""What a policy is to make small, of spellings `(N, L)` that it drew and of their advantages `(N,)`."""

from torch import Tensor


def reinforce_loss(log_probabilities: Tensor, advantages: Tensor) -> Tensor:
    """Of Williams' REINFORCE (1992): its gradient is that of the expected reward, turned around."""
    return -(advantages * log_probabilities.sum(1)).mean()


def ppo_loss(log_probabilities: Tensor, drawn_with: Tensor, advantages: Tensor, *, clip: float) -> Tensor:
    """Of proximal policy optimization (Schulman et al., 2017, equation 7), every token being an action.

    Where the policy is still the one that the spellings were drawn with, its gradient is that of REINFORCE.
    """
    ratios = (log_probabilities - drawn_with).exp()
    gains = advantages[:, None] * ratios
    clipped = advantages[:, None] * ratios.clamp(1 - clip, 1 + clip)
    return -gains.minimum(clipped).sum(1).mean()
