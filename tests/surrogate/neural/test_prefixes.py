import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from pnas_surrogate._neural._prefixes import levels, sorted_order
from pnas_surrogate._sequences import PADDING

SEQUENCES = st.lists(st.lists(st.integers(0, 2), min_size=1, max_size=5).map(tuple), min_size=1, max_size=12)


def padded(sequences):
    length = max(map(len, sequences))
    return np.array([[*sequence, *[PADDING] * (length - len(sequence))] for sequence in sequences])


@given(SEQUENCES, st.sampled_from([1, 60, 20_000]))
def test_the_order_is_that_of_sorted_sequences(sequences, factor):
    sequences = [tuple(factor * token for token in sequence) for sequence in sequences]
    order = sorted_order(padded(sequences))
    assert [sequences[index] for index in order] == sorted(sequences)


@given(SEQUENCES)
def test_every_prefix_is_there_once_and_every_sequence_is_one_of_them(sequences):
    sequences = sorted(sequences)
    before, ended = [()], []
    for length, level in enumerate(levels(padded(sequences)), start=1):
        prefixes = [
            (*before[parent], token) for parent, token in zip(level.parents, level.tokens.tolist(), strict=True)
        ]
        assert prefixes == sorted({sequence[:length] for sequence in sequences if len(sequence) >= length})
        assert [prefixes[prefix] for prefix in level.prefixes] == [sequences[end] for end in level.ends]
        ended += level.ends.tolist()
        before = prefixes
    assert sorted(ended) == list(range(len(sequences)))
