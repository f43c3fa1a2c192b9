import torch

from pnas_surrogate._neural._adam import Adam


def test_adam_is_pytorchs_adam_step_by_step():
    generator = torch.Generator().manual_seed(0)
    start = [torch.randn(shape, generator=generator) for shape in [(3, 4, 5), (3, 1, 5), (2,)]]
    ours, theirs = [[tensor.clone().requires_grad_() for tensor in start] for _ in range(2)]
    optimizer, reference = Adam(ours, learning_rate=0.01), torch.optim.Adam(theirs, lr=0.01)
    for step in range(20):
        scale = 10.0 ** (step % 5 - 2)
        # Slices and transposed tensors, as autograd gives some.
        gradients = [torch.randn(*tensor.shape, 2, generator=generator)[..., 0].mul_(scale) for tensor in start]
        gradients[0] = gradients[0].mT.contiguous().mT
        optimizer.step(gradients)
        for tensor, gradient in zip(theirs, gradients, strict=True):
            tensor.grad = gradient
        reference.step()
        torch.testing.assert_close(ours, theirs, rtol=1e-5, atol=1e-7)
    assert not torch.equal(ours[0], start[0])
