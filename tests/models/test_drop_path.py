import torch

from pnas_models._drop_path import DropPath


def test_examples_are_dropped_whole_and_the_mean_is_kept() -> None:
    path = DropPath(0.4)
    path.progress.fill_(0.5)
    y = path(torch.ones(20_000, 3, 2, 2))
    values = y.flatten(1)
    assert torch.equal(values, values[:, :1].expand_as(values))
    kept = values[:, 0] > 0
    torch.testing.assert_close(values[kept, 0], torch.full((int(kept.sum()),), 1 / 0.8))
    # Binomial: four standard deviations of a share of 0.8 in 20,000.
    assert abs(kept.float().mean().item() - 0.8) < 4 * (0.8 * 0.2 / 20_000) ** 0.5


def test_nothing_is_dropped_at_the_beginning_nor_in_evaluation() -> None:
    x = torch.randn(50, 2, 1, 1)
    path = DropPath(0.9)
    assert torch.equal(path.eval()(x), x)
    path.train().progress.fill_(0.0)
    assert torch.equal(path(x), x)


def test_half_precision_stays() -> None:
    assert DropPath(0.5)(torch.ones(4, 1, 1, 1, dtype=torch.bfloat16)).dtype == torch.bfloat16
