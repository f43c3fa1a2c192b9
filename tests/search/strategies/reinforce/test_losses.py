import pytest

torch = pytest.importorskip("torch")

from pnas_search._strategies._reinforce._losses import ppo_loss, reinforce_loss  # noqa: E402  # PyTorch is there


def test_the_gradient_of_reinforce_is_that_of_rewards_times_how_probable_draws_are() -> None:
    """Of a choice among three: mean(advantage * (what was drawn - probabilities)), turned around."""
    scores = torch.tensor([0.3, -1.0, 0.8], dtype=torch.float64, requires_grad=True)
    drawn, advantages = torch.tensor([0, 2, 2, 1, 0]), torch.tensor([0.5, -0.25, 1.0, 0.75, -2.0], dtype=torch.float64)
    reinforce_loss(scores.log_softmax(0)[drawn, None], advantages).backward()
    is_drawn = torch.eye(3, dtype=torch.float64)[drawn]
    expected = (advantages[:, None] * (is_drawn - scores.detach().softmax(0))).mean(0)
    torch.testing.assert_close(scores.grad, -expected)


def test_the_gradient_of_ppo_is_that_of_reinforce_where_the_policy_has_not_moved() -> None:
    generator = torch.Generator().manual_seed(0)
    log_probabilities = -torch.rand(7, 12, generator=generator).requires_grad_()
    advantages = torch.randn(7, generator=generator)
    (expected,) = torch.autograd.grad(reinforce_loss(log_probabilities, advantages), log_probabilities)
    loss = ppo_loss(log_probabilities, log_probabilities.detach(), advantages, clip=0.2)
    (gradient,) = torch.autograd.grad(loss, log_probabilities)
    torch.testing.assert_close(gradient, expected)


@pytest.mark.parametrize(
    ("ratio", "advantage", "gradient"),
    [
        (1.1, 2.0, 1.1 * 2.0),
        (1.3, 2.0, 0.0),  # far enough
        (0.7, 2.0, 0.7 * 2.0),  # the wrong way
        (0.9, -2.0, 0.9 * -2.0),
        (0.7, -2.0, 0.0),
        (1.3, -2.0, 1.3 * -2.0),
    ],
)
def test_ppo_moves_no_token_farther_than_the_clip_and_all_others(
    ratio: float, advantage: float, gradient: float
) -> None:
    drawn_with = torch.tensor([[-1.0, -2.0]], dtype=torch.float64)
    moved = (drawn_with + torch.tensor([ratio, 1.0], dtype=torch.float64).log()).requires_grad_()
    ppo_loss(moved, drawn_with, torch.tensor([advantage], dtype=torch.float64), clip=0.2).backward()
    torch.testing.assert_close(moved.grad, -torch.tensor([[gradient, advantage]], dtype=torch.float64))
