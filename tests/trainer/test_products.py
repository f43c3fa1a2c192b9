"""Products are by the library that is faster on a processor, and the same by either up to rounding."""

import platform

import numpy as np
import pytest
import torch

from pnas_trainer import TrainConfig, train
from pnas_trainer._cpu._program import _products, _sections
from pnas_trainer._cpu._program._layout import Memory
from pnas_trainer._cpu._program._program import Program

BOTH = pytest.mark.parametrize("is_by_torch", [True, False], ids=["torch", "numpy"])


@pytest.fixture
def chosen(monkeypatch):
    return lambda is_by_torch: monkeypatch.setattr(_products, "is_by_torch", lambda: is_by_torch)


@BOTH
def test_products_are_written_and_added(is_by_torch, chosen, monkeypatch):
    monkeypatch.setattr(_sections, "_BYTES", 50)
    chosen(is_by_torch)
    rng = np.random.default_rng(0)
    a, b = (rng.normal(size=shape).astype(np.float32) for shape in [(12, 5), (5, 3)])
    program = Program(4, is_cut=True)
    x, y = Memory(12, 5, by_image=True), Memory(12, 3, by_image=True)
    total, spare, seen = Memory(5, 5), Memory(5, 5), []
    program.keep(x)
    program.add_by_image(_products.product(), x, b, y)
    program.add_sum(_products.added_product(), x.transposed, x, total, spare)
    program.add(lambda *arrays: seen.extend(array.copy() for array in arrays), y, total)
    _, calls = program.compiled()
    assert len(calls) > 3  # in several parts
    x.array[:] = a
    with _products.in_one_thread():
        for _ in range(2):  # nothing is left of the first
            seen.clear()
            for call in calls:
                call()
    np.testing.assert_allclose(seen[0], a @ b, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(seen[1], a.T @ a, rtol=1e-5, atol=1e-6)


def test_a_training_is_the_same_by_either_up_to_rounding(one_thread, digits, recordable, chosen, monkeypatch):
    losses, used = [], []
    for name in ("_by_torch", "_by_numpy"):
        multiply = getattr(_products, name)
        monkeypatch.setattr(
            _products, name, lambda *xs, name=name, multiply=multiply: used.append(name) or multiply(*xs)
        )
    for is_by_torch in (True, False):
        chosen(is_by_torch)
        losses.append(train(recordable, digits, TrainConfig(n_epochs=1), seed=0).losses)
    assert losses[0] == pytest.approx(losses[1], rel=1e-4)
    half = len(used) // 2
    assert half > 20
    assert used == ["_by_torch"] * half + ["_by_numpy"] * half


@pytest.mark.parametrize(
    ("maker", "has_mkl", "held_to", "expected"),
    [
        ("GenuineIntel", True, None, True),
        ("AuthenticAMD", True, None, False),
        ("GenuineIntel", False, None, False),
        ("GenuineIntel", True, "COMPATIBLE", False),
    ],
)
@pytest.mark.parametrize("is_linux", [True, False])
def test_mkl_is_for_intels_processors_where_it_may_use_their_code(
    maker, has_mkl, held_to, expected, is_linux, monkeypatch, tmp_path
):
    description = tmp_path / "cpuinfo"
    if is_linux:
        description.write_text(f"processor\t: 0\nvendor_id\t: {maker}\ncpu family\t: 6\n")
    else:
        monkeypatch.setattr(platform, "processor", lambda: f"Intel64 Family 6 Model 140 Stepping 1, {maker}")
    monkeypatch.setattr(_products, "_DESCRIPTION", description)
    monkeypatch.setattr(torch.backends.mkl, "is_available", lambda: has_mkl)
    monkeypatch.delenv("MKL_CBWR", raising=False)
    if held_to is not None:
        monkeypatch.setenv("MKL_CBWR", held_to)
    assert _products.is_by_torch.__wrapped__() == expected
