from collections.abc import Iterator

import pytest

torch = pytest.importorskip("torch")

from pnas_search._strategies._reinforce._one_thread import one_thread  # noqa: E402  # PyTorch is there


@pytest.fixture
def three_threads() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(3)
    yield
    torch.set_num_threads(before)


@pytest.mark.usefixtures("three_threads")
def test_there_is_one_thread_meanwhile_and_as_many_as_before_afterwards() -> None:
    with one_thread():
        assert torch.get_num_threads() == 1
    assert torch.get_num_threads() == 3


@pytest.mark.usefixtures("three_threads")
def test_there_are_as_many_as_before_after_an_error() -> None:
    with pytest.raises(ZeroDivisionError), one_thread():
        1 / 0  # noqa: B018
    assert torch.get_num_threads() == 3
