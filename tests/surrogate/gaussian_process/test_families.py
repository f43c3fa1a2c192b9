from collections import defaultdict
from itertools import combinations, product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pnas_surrogate import SequenceSpec
from pnas_surrogate._gaussian_process import _families as families
from pnas_surrogate._gaussian_process._families import ABSENT
from pnas_surrogate._sequences import pack

# The first kind is not the largest, and its positions are not neighbors.
SPEC = SequenceSpec(kinds=("a", "b", "a"), vocabulary={"a": 2, "b": 3})
GROUPS = list(product(range(2), range(3), range(2)))
SEQUENCES = st.lists(st.lists(st.sampled_from(GROUPS), min_size=1, max_size=4), min_size=1, max_size=6)


def tokens_of_a_kind(groups):
    return [((kind, token), 1) for group in groups for kind, token in zip(SPEC.kinds, group, strict=True)]


def tokens_in_a_slot(groups):
    return [(place, 1) for group in groups for place in enumerate(group)]


def tokens_at_a_place(groups):
    return [((number, *place), 1) for number, group in enumerate(groups) for place in enumerate(group)]


def pairs_in_a_group(groups):
    return [(pair, 1) for group in groups for pair in combinations(enumerate(group), 2)]


def subsequences(groups):
    return [
        ((slot, earlier[slot], later[slot]), 0.5 ** (distance - 1))
        for (first, earlier), (second, later) in combinations(enumerate(groups), 2)
        for distance in [second - first]
        for slot in range(3)
    ]


REFERENCES = [tokens_of_a_kind, tokens_in_a_slot, tokens_at_a_place, pairs_in_a_group, subsequences]


def packed(sequences):
    return pack([[token for group in groups for token in group] for groups in sequences], SPEC)


def of_each(sequences, family):
    """Every sequence's things as pairs of code and weight."""
    codes, weights = family(packed(sequences), SPEC)
    return [[pair for pair in zip(row, weights, strict=True) if pair[0] != ABSENT] for row in codes.tolist()]


def columns(things_of_each):
    """How much of every thing each sequence has, whatever the things are called."""
    totals = defaultdict(lambda: [0.0] * len(things_of_each))
    for row, things in enumerate(things_of_each):
        for thing, weight in things:
            totals[thing][row] += weight
    return sorted(totals.values())


@pytest.mark.parametrize("reference", REFERENCES)
@given(SEQUENCES)
def test_a_sequence_holds_what_plain_loops_find_in_it(reference, sequences):
    family = getattr(families, reference.__name__)
    assert columns(of_each(sequences, family)) == columns([reference(groups) for groups in sequences])


@pytest.mark.parametrize(
    ("family", "n_things"),
    [
        (families.tokens_of_a_kind, 2 + 3),
        (families.tokens_in_a_slot, 2 + 3 + 2),
        (families.tokens_at_a_place, 2 * (2 + 3 + 2)),
        (families.pairs_in_a_group, 2 * 3 + 2 * 2 + 3 * 2),
        (families.subsequences, 2 * 2 + 3 * 3 + 2 * 2),
    ],
)
def test_no_two_things_share_a_code(family, n_things):
    every = list(product(GROUPS, GROUPS))
    assert len({code for things in of_each(every, family) for code, _ in things}) == n_things


@pytest.mark.parametrize("reference", REFERENCES)
@given(SEQUENCES)
def test_longer_sequences_among_them_change_no_codes(reference, sequences):
    family = getattr(families, reference.__name__)
    together = of_each([*sequences, [(1, 2, 1)] * 5], family)
    for groups, things in zip(sequences, together, strict=False):
        assert sorted(things) == sorted(of_each([groups], family)[0])


@given(SEQUENCES)
def test_places_are_those_of_the_tokens(sequences):
    tokens = packed(sequences)
    codes, _ = families.tokens_at_a_place(tokens, SPEC)
    for row, groups in zip(codes, sequences, strict=True):
        assert sorted(families.places(row[row != ABSENT], SPEC)) == list(range(3 * len(groups)))


def test_one_position_makes_no_pairs_and_one_group_no_subsequences():
    single = SequenceSpec(kinds=("token",), vocabulary={"token": 3})
    codes, weights = families.pairs_in_a_group(pack([[0, 1, 2], [2]], single), single)
    assert codes.shape == (2, 0)
    assert weights.shape == (0,)
    codes, weights = families.subsequences(packed([[(0, 1, 1)], [(1, 1, 1)]]), SPEC)
    assert codes.shape == (2, 0)
    assert weights.shape == (0,)


@pytest.mark.parametrize("family", [families.tokens_of_a_kind, families.tokens_in_a_slot, families.tokens_at_a_place])
def test_a_vocabulary_of_one_token_has_one_code_for_every_position_that_it_is_at(family):
    single = SequenceSpec(kinds=("token",), vocabulary={"token": 1})
    codes, _ = family(pack([[0, 0, 0], [0]], single), single)
    where = [0, 1, 2] if family is families.tokens_at_a_place else [0, 0, 0]
    np.testing.assert_array_equal(codes, [where, [0, ABSENT, ABSENT]])
