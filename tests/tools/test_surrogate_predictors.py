import pytest

from pnas_surrogate import SequenceSpec
from pnas_tools._surrogate_predictors import DIFFERENT_PREDICTORS, PREDICTORS, make_predictor

SPEC = SequenceSpec(kinds=("token",), vocabulary={"token": 3})


@pytest.mark.parametrize("name", PREDICTORS)
def test_every_name_is_a_predictors(name: str) -> None:
    assert make_predictor(name, SPEC).spec == SPEC


def test_no_other_name_is() -> None:
    with pytest.raises(ValueError, match=r"expected one of mlp, .*, not 'forest'"):
        make_predictor("forest", SPEC)


def test_the_default_compares_no_predictor_with_itself() -> None:
    made = [make_predictor(name, SPEC) for name in DIFFERENT_PREDICTORS]
    descriptions = [repr(predictor) for predictor in made]
    assert len(set(descriptions)) == len(made)
    assert repr(make_predictor("gp", SPEC)) in descriptions
