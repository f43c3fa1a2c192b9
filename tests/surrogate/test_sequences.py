import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from pnas_surrogate import SequenceSpec, SurrogateError
from pnas_surrogate._sequences import PADDING, pack

SPEC = SequenceSpec(kinds=("input", "operation"), vocabulary={"input": 3, "operation": 5})
GROUPS = st.lists(st.tuples(st.integers(0, 2), st.integers(0, 4)), min_size=1, max_size=6)


class Frame:
    """As one of pandas: it becomes an array, but goes through its columns' names."""

    def __init__(self, rows):
        self.rows = rows

    def __array__(self, dtype=None, copy=None):
        return np.array(self.rows, dtype)

    def __iter__(self):
        return iter("abcd")


def as_objects(rows):
    objects = np.empty(len(rows), dtype=object)
    objects[:] = rows
    return objects


@given(st.lists(GROUPS, min_size=1, max_size=8))
def test_taking_the_padding_out_gives_the_sequences_back(sequences):
    tokens = pack([[token for group in groups for token in group] for groups in sequences], SPEC)
    assert tokens.shape == (len(sequences), max(map(len, sequences)), 2)
    for packed, groups in zip(tokens, sequences, strict=True):
        assert packed[: len(groups)].tolist() == [list(group) for group in groups]
        assert (packed[len(groups) :] == PADDING).all()


@pytest.mark.parametrize(
    "form",
    [
        lambda rows: np.array(rows),
        lambda rows: np.array(rows, dtype=np.uint8),
        lambda rows: tuple(map(tuple, rows)),
        lambda rows: [np.array(row) for row in rows],
        lambda rows: np.array(rows, dtype=object),
        lambda rows: as_objects([np.array(row) for row in rows]),
        lambda rows: np.pad(rows, [(0, 0), (0, 3)], constant_values=PADDING),
        lambda rows: torch.tensor(rows),
        lambda rows: Frame(rows),
        lambda rows: iter(rows),
    ],
    ids=[
        "array",
        "bytes",
        "tuples",
        "list of arrays",
        "array of objects",
        "array of arrays",
        "padded",
        "tensor",
        "frame",
        "iterator",
    ],
)
def test_every_form_of_the_same_sequences_packs_alike(form):
    rows = [[0, 1, 2, 4], [2, 0, 1, 3]]
    np.testing.assert_array_equal(pack(form(rows), SPEC), pack(rows, SPEC))


@given(st.lists(GROUPS, min_size=1, max_size=8), st.integers(0, 3))
def test_padding_at_the_ends_of_an_array_is_no_part_of_its_sequences(sequences, n_surplus):
    rows = [[token for group in groups for token in group] for groups in sequences]
    length = max(map(len, rows)) + n_surplus
    padded = np.array([row + [PADDING] * (length - len(row)) for row in rows])
    np.testing.assert_array_equal(pack(padded, SPEC), pack(rows, SPEC))


@pytest.mark.parametrize(
    ("X", "message"),
    [
        ([], "expected one or more sequences, got none"),
        (np.zeros((0, 4), int), "expected one or more sequences, got none"),
        (None, "expected a sequence of integer sequences, not None"),
        (np.array(5), r"expected a sequence of integer sequences, not array\(5\)"),
        (np.array([0, 1]), "sequence 0 must be a flat sequence of integers, not"),
        (np.zeros((2, 4)), "sequence 0 must be a flat sequence of integers, not"),
        (np.array([[0, 0], [PADDING] * 2]), "sequence 1 must have a multiple of 2 tokens .*, not 0"),
        (np.array([[0, 0, 1, PADDING]]), "sequence 0 must have a multiple of 2 tokens .*, not 3"),
        (np.array([[0, PADDING, 1, 1]]), "sequence 0 has the token -1 at position 1; expected one of kind 'operation'"),
        ([[0, 0], []], r"sequence 1 must have a multiple of 2 tokens \(input, operation\), not 0"),
        ([[0, 0], [0, 0], [1, 1, 1]], r"sequence 2 must have a multiple of 2 tokens \(input, operation\), not 3"),
        ([[0, 0], [0.5, 1.0]], r"sequence 1 must be a flat sequence of integers, not \[0.5, 1.0\]"),
        ([[0, 0], [[0, 0]]], r"sequence 1 must be a flat sequence of integers, not \[\[0, 0\]\]"),
        ([[0, 0], 1], "sequence 1 must be a flat sequence of integers, not 1"),
        ([[0, 0], ["a", "b"]], r"sequence 1 must be a flat sequence of integers, not \['a', 'b'\]"),
        ([[0, 0], [1, 1, 3, 0]], "sequence 1 has the token 3 at position 2; expected one of kind 'input', from 0 to 2"),
        ([[0, 4], [1, 5]], "sequence 1 has the token 5 at position 1; expected one of kind 'operation', from 0 to 4"),
        ([[0, 4, PADDING, 0]], "sequence 0 has the token -1 at position 2; expected one of kind 'input'"),
    ],
)
def test_what_is_no_sequence_of_the_spec_is_refused_by_position_and_value(X, message):
    with pytest.raises(SurrogateError, match=message):
        pack(X, SPEC)
