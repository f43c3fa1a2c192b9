from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

sigmoid_backward = torch.ops.aten.sigmoid_backward.grad_input
tanh_backward = torch.ops.aten.tanh_backward.grad_input


class LastHidden(torch.autograd.Function):
    """The last hidden states of LSTMs of one shape, `(n_members, N, hidden_size)`, each on sequences of its own.

    PyTorch's `nn.LSTM` runs members one after the other, and autograd on single steps costs more than their
    products. Sequences end together, and before their starts their inputs are zero; as there is no bias but through an
    input, a state then stays exactly zero, and nothing needs a mask.

    Inputs are `(n_members, N, length, n_inputs)`, the weight `(n_members, hidden_size + n_inputs, 4 * hidden_size)`,
    for the gates i, f, g, o in PyTorch's order; `n_running` says how many leading sequences have started at every step.
    Inputs have no gradient.
    """

    @staticmethod
    def forward(ctx: Any, inputs: Tensor, weight: Tensor, n_running: Sequence[int]) -> Tensor:
        n_members, size = len(weight), weight.shape[2] // 4
        steps = [(step, n) for step, n in enumerate(n_running) if n]
        n_rows = sum(n for _, n in steps)
        # Sequences that have not started take no row; all other steps of a member lie below each other.
        states = weight.new_zeros(n_members, n_rows, weight.shape[1])
        gates = weight.new_empty(n_members, n_rows, 4 * size)
        cells, squashed = (weight.new_empty(n_members, n_rows, size) for _ in range(2))
        end, n_before = 0, 0
        hidden = weight.new_empty(n_members, 0, size)
        for step, n in steps:
            before, rows = slice(end - n_before, end), slice(end, end + n)
            states[:, end : end + n_before, :size] = hidden
            states[:, rows, size:] = inputs[:, :n, step]
            i, f, g, o = activate(torch.bmm(states[:, rows], weight, out=gates[:, rows]))
            cell = torch.mul(i, g, out=cells[:, rows])
            cell[:, :n_before].addcmul_(f[:, :n_before], cells[:, before])
            hidden = squash(cell, out=squashed[:, rows]) * o
            end, n_before = end + n, n
        ctx.save_for_backward(weight, states, gates, cells, squashed)
        ctx.steps = [n for _, n in steps]
        return hidden

    @staticmethod
    def backward(ctx: Any, d_hidden: Tensor) -> tuple[None, Tensor, None]:
        weight, states, gates, cells, squashed = ctx.saved_tensors
        size = cells.shape[2]
        recurrent = weight[:, :size].transpose(1, 2)
        d_gates = torch.empty_like(gates)
        d_cell = torch.zeros_like(d_hidden)
        end = gates.shape[1]
        for n, n_before in zip(reversed(ctx.steps), [*ctx.steps[-2::-1], 0], strict=True):
            start = end - n
            rows, before = slice(start, end), slice(start - n_before, start)
            i, f, g, o = gates[:, rows].chunk(4, dim=2)
            d_i, d_f, d_g, d_o = d_gates[:, rows].chunk(4, dim=2)
            d_cell += torch.ops.aten.tanh_backward.default(d_hidden * o, squashed[:, rows])
            sigmoid_backward(d_hidden * squashed[:, rows], o, grad_input=d_o)
            sigmoid_backward(d_cell * g, i, grad_input=d_i)
            tanh_backward(d_cell * i, g, grad_input=d_g)
            d_f[:, n_before:] = 0
            d_cell = d_cell[:, :n_before]
            f = f[:, :n_before]
            sigmoid_backward(d_cell * cells[:, before], f, grad_input=d_f[:, :n_before])
            d_cell = d_cell * f
            d_hidden = torch.bmm(d_gates[:, start : start + n_before], recurrent)
            end = start
        return None, torch.bmm(states.transpose(1, 2), d_gates), None


def activate(gates: Tensor) -> tuple[Tensor, ...]:
    """The gates i, f, g, o of sums `(n_members, N, 4 * hidden_size)`, in their place."""
    i, f, g, o = gates.chunk(4, dim=2)
    g.mul_(2)
    gates.sigmoid_()
    g.mul_(2).sub_(1)
    return i, f, g, o


def squash(cell: Tensor, out: Tensor | None = None) -> Tensor:
    """The hyperbolic tangent, as a sigmoid, of which PyTorch's is several times as fast on CPUs."""
    return torch.mul(cell, 2, out=out).sigmoid_().mul_(2).sub_(1)
