import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pnas_surrogate import SequenceSpec, SurrogateError
from pnas_surrogate._sequences import PADDING, pack

SPEC = SequenceSpec(kinds=("input", "operation"), vocabulary={"input": 3, "operation": 5})
GROUPS = st.lists(st.tuples(st.integers(0, 2), st.integers(0, 4)), min_size=1, max_size=6)


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
    ],
    ids=["array", "bytes", "tuples", "list of arrays"],
)
def test_every_form_of_the_same_sequences_packs_alike(form):
    rows = [[0, 1, 2, 4], [2, 0, 1, 3]]
    np.testing.assert_array_equal(pack(form(rows), SPEC), pack(rows, SPEC))


@pytest.mark.parametrize(
    ("X", "message"),
    [
        ([], "expected one or more sequences, got none"),
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
