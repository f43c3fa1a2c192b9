import pytest

from pnas_search import Listed, SearchError


@pytest.fixture
def cells(space):
    return space.to_cells(space.one_block_cells())


def test_cells_are_asked_for_in_their_order_in_rounds_of_a_size(cells, finished):
    strategy, asked = Listed(cells, round_size=4), []
    while candidates := strategy.ask():
        assert strategy.ask() == candidates
        asked.append([candidate.cell for candidate in candidates])
        strategy.tell(candidates, [finished(0.5)] * len(candidates))
    assert asked == [cells[:4], cells[4:8], cells[8:]]


def test_the_best_is_the_most_accurate_and_of_equals_the_first(cells, finished, failed):
    strategy = Listed(cells, round_size=5)
    assert strategy.best() is None
    for accuracies in ([None, 0.2, 0.7, 0.7, 0.1], [0.7, None, 0.3, 0.2, 0.1]):
        outcomes = [failed if accuracy is None else finished(accuracy) for accuracy in accuracies]
        strategy.tell(strategy.ask(), outcomes)
    assert strategy.best() == (cells[2], finished(0.7))


def test_what_cannot_be_listed_is_refused(cells):
    with pytest.raises(SearchError, match="none was given"):
        Listed([])
    with pytest.raises(SearchError, match="is there twice"):
        Listed([cells[0], cells[1], cells[0]])
    with pytest.raises(SearchError, match="round_size must be 1 or more, not 0"):
        Listed(cells, round_size=0)


def test_a_ledger_of_another_list_is_refused(cells, finished):
    strategy = Listed(cells, round_size=3)
    others = Listed(cells[::-1], round_size=3).ask()
    with pytest.raises(SearchError, match="the ledger is that of another list of cells: after 0 it has other ones"):
        strategy.tell(others, [finished(0.5)] * 3)
    with pytest.raises(SearchError, match="another list of cells"):
        strategy.tell(strategy.ask()[:2], [finished(0.5)] * 2)
