import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from pnas_trainer._cpu._program._layout import Memory, place

lives = st.tuples(st.integers(0, 12), st.integers(0, 5), st.integers(1, 70), st.sampled_from([np.float32, np.uint8]))
"""The first step, how many steps more, how many rows of 3, and of what."""


def memory(first: int, last: int, *shape: int, dtype: type[np.generic] = np.float32) -> Memory:
    made = Memory(*shape, dtype=dtype)
    made.used_at(first)
    made.used_at(last)
    return made


def extent(memories: list[Memory]) -> int:
    """Bytes from the first of all to the last."""
    begins = [memory.array.ctypes.data for memory in memories]
    return max(b + m.array.nbytes for b, m in zip(begins, memories, strict=True)) - min(begins)


@given(st.lists(lives, max_size=20))
def test_what_lives_at_the_same_time_never_shares_a_byte(drawn):
    memories = [memory(first, first + more, n, 3, dtype=dtype) for first, more, n, dtype in drawn]
    place(memories)
    for index, one in enumerate(memories):
        assert one.array.shape == one.shape
        assert one.array.dtype == one.dtype
        assert one.array.ctypes.data % 64 == 0
        for other in memories[:index]:
            if max(one.first, other.first) <= min(one.last, other.last):
                assert not np.shares_memory(one.array, other.array)


def test_a_step_may_read_one_memory_and_write_another():
    read, written = memory(0, 3, 16), memory(3, 4, 16)
    place([read, written])
    assert not np.shares_memory(read.array, written.array)


def test_memory_is_used_again():
    chain = [memory(step, step + 1, 16) for step in range(20)]
    place(chain)
    assert extent(chain) == 2 * 64


def test_a_gap_is_filled_before_more_is_taken():
    around = [memory(0, 9, 16), memory(0, 1, 48), memory(0, 9, 16)]
    inside = [memory(2, 9, 16), memory(2, 9, 32)]
    place([*around, *inside])
    assert extent([*around, *inside]) == 5 * 64


def test_a_life_is_from_the_first_use_to_the_last():
    used = Memory(2)
    for step in (3, 5, 5, 8):
        used.used_at(step)
    assert (used.first, used.last) == (3, 8)
