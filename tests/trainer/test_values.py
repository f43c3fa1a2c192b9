import torch
from torch import nn

from pnas_trainer._cpu._program._program import Program
from pnas_trainer._cpu._program._values import Gradients, Value


def test_gradients_are_summed_and_those_that_came_are_left_alone():
    value = Value((2, 3, 4, 5), needs_gradient=True)
    program, parts = Program(2), [value.new_memory() for _ in range(3)]
    for part in parts:
        program.keep(part)
    for part in parts:
        value.add_gradient(program, part)
    for memory in (value.gradient, *parts):
        program.keep(memory)
    _, calls = program.compiled()
    for number, part in enumerate(parts, start=1):
        part.array[:] = number
    for call in calls:
        call()
    assert value.gradient.array.shape == (40, 3)
    assert (value.gradient.array == 6).all()
    assert [float(part.array.max()) for part in parts] == [1.0, 2.0, 3.0]


def test_one_gradient_alone_is_not_copied():
    value, program = Value((2, 3), needs_gradient=True), Program(2)
    part = value.new_memory()
    value.add_gradient(program, part)
    assert value.gradient is part
    assert program.compiled() == ([], [])


def test_gradients_are_one_vector_for_just_those_parameters_that_have_their_parts():
    weight = nn.Parameter(torch.zeros(4, 3, 2, 2).contiguous(memory_format=torch.channels_last))
    bias, frozen = nn.Parameter(torch.zeros(4)), nn.Parameter(torch.zeros(4), requires_grad=False)
    double = nn.Parameter(torch.zeros(4, dtype=torch.float64))
    gradients = Gradients([weight, frozen, bias, double])
    assert gradients.of(frozen) is gradients.of(double) is gradients.of(torch.zeros(1)) is None
    part = gradients.of(weight)
    assert (part.shape, part.stride()) == (weight.shape, weight.stride())
    part.fill_(2.0)
    gradients.of(bias).fill_(3.0)
    assert gradients.of_all([weight, bias]) is None  # they are not the parameters' own yet
    weight.grad, bias.grad = part, gradients.of(bias)
    vector = gradients.of_all([weight, bias])
    assert vector.sort().values.tolist() == [2.0] * 48 + [3.0] * 4
    vector.mul_(0.5)
    assert (weight.grad == 1.0).all()
    assert gradients.of_all([weight]) is gradients.of_all([bias, weight]) is gradients.of_all([]) is None
    bias.grad = bias.grad.clone()
    assert gradients.of_all([weight, bias]) is None
