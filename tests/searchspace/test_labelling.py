import numpy as np

from pnas_searchspace._codes import Coder
from pnas_searchspace._labelling import Labelling

CODER = Coder(3, 1, 2)
FIRST, SECOND, READER = [-1, 1, -1, 1], [-1, 0, -1, 1], [1, 0, 0, 1]


def _labelling() -> Labelling:
    return Labelling(CODER.operands(np.array([[FIRST, SECOND, READER]]), np.arange(2)), CODER)


def _code(block: list[int]) -> int:
    return int(CODER.codes(CODER.operands(np.array([[block]]), np.arange(2)))[0, 0])


def test_blocks_come_with_the_labels_that_those_they_read_have_got() -> None:
    labelling = _labelling()
    assert labelling.read[:, 0].tolist() == [True, True, False]
    for place, (chosen, expected) in enumerate([(1, SECOND), (0, FIRST), (2, [0, 0, 1, 1])]):
        code, equal = labelling.smallest()
        assert code.tolist() == [_code(expected)]
        assert np.flatnonzero(equal[:, 0]).tolist() == [chosen]
        labelling.put(np.array([chosen]), place)


def test_a_block_waits_for_all_that_it_reads() -> None:
    labelling = _labelling()
    labelling.put(np.array([0]), 0)
    _, equal = labelling.smallest()
    assert np.flatnonzero(equal[:, 0]).tolist() == [1]


def test_what_is_taken_goes_on_by_itself() -> None:
    labelling = _labelling()
    twice = labelling.take(np.array([0, 0]))
    twice.put(np.array([0, 1]), 0)
    assert (labelling.n_cells, twice.n_cells) == (1, 2)
    assert labelling.smallest()[0].tolist() == [_code(SECOND)]
    assert twice.smallest()[0].tolist() == [_code(SECOND), _code(FIRST)]
