import pytest

torch = pytest.importorskip("torch")

from pnas_search._strategies._reinforce._adam import Adam  # noqa: E402  # PyTorch is there


def test_adam_is_pytorchs_adam_step_by_step() -> None:
    generator = torch.Generator().manual_seed(0)
    start = [torch.randn(shape, generator=generator) for shape in [(3, 5), (4,)]]
    ours, theirs = [[tensor.clone().requires_grad_() for tensor in start] for _ in range(2)]
    optimizer, reference = Adam(ours, learning_rate=0.01), torch.optim.Adam(theirs, lr=0.01)
    for step in range(20):
        scale = 10.0 ** (step % 5 - 2)
        # Its gradient is a slice of another tensor.
        slopes = torch.randn(5, 3, 2, generator=generator)[..., 0].mT * scale
        for loss, minimize in [(_loss(ours, slopes), optimizer.minimize), (_loss(theirs, slopes), None)]:
            if minimize is not None:
                minimize(loss)
            else:
                reference.zero_grad()
                loss.backward()
                reference.step()
        torch.testing.assert_close(ours, theirs, rtol=1e-5, atol=1e-7)
    assert not torch.equal(ours[0], start[0])


def _loss(weights, slopes):
    return (weights[0] * slopes).sum() + (weights[1] ** 2).sum()
