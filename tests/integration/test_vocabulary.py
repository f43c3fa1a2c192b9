from pnas_models import PNAS_OPERATIONS as BUILDERS
from pnas_searchspace import PNAS_OPERATIONS as NAMES


def test_the_space_and_the_networks_name_the_same_operations_in_the_same_order() -> None:
    assert tuple(BUILDERS) == NAMES
