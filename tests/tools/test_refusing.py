import pytest
import torch

from pnas_models import ModelError
from pnas_tools._errors import BadInput, Failed
from pnas_tools._refusing import refusing
from pnas_trainer import TrainerError


@pytest.mark.parametrize("kind", [ModelError, TrainerError])
def test_what_the_packages_refuse_is_bad_input_in_their_words(kind: type[Exception]) -> None:
    with pytest.raises(BadInput, match="expected this"), refusing():
        raise kind("expected this")


def test_memory_that_is_not_there_is_one_sentence() -> None:
    with pytest.raises(Failed, match="out of memory"), refusing():
        torch.empty(2**60)
    with pytest.raises(Failed, match="out of memory"), refusing():
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")


def test_other_errors_are_what_they_are() -> None:
    with pytest.raises(RuntimeError, match="inconsistent tensor size"), refusing():
        torch.zeros(2) @ torch.zeros(3)
