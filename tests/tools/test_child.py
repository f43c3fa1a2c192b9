import pytest

from pnas_tools._child import _is_out_of_memory


def test_memory_that_runs_out_is_told_from_other_errors() -> None:
    import torch

    with pytest.raises(RuntimeError) as full:
        torch.empty(2**60)
    assert _is_out_of_memory(full.value)
    assert _is_out_of_memory(MemoryError())
    with pytest.raises(RuntimeError) as other:
        torch.zeros(2) @ torch.zeros(3)
    assert not _is_out_of_memory(other.value)
