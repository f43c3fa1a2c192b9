from typing import TYPE_CHECKING

if TYPE_CHECKING:  # importing torch takes seconds, and the command line answers before it is needed
    from pnas_surrogate import Predictor, SequenceSpec

PREDICTORS = ("mlp", "lstm", "mlp-ensemble", "lstm-ensemble", "gp", "recommended")
DIFFERENT_PREDICTORS = tuple(name for name in PREDICTORS if name != "gp")
"""Without the one that is recommended."""


def make_predictor(name: str, spec: "SequenceSpec") -> "Predictor":
    """The predictor of that name, unfitted, with the settings it comes with."""
    import pnas_surrogate as surrogate

    match name:
        case "mlp":
            return surrogate.MLPPredictor(spec)
        case "lstm":
            return surrogate.LSTMPredictor(spec)
        case "mlp-ensemble":
            return surrogate.Ensemble(surrogate.MLPPredictor(spec))
        case "lstm-ensemble":
            return surrogate.Ensemble(surrogate.LSTMPredictor(spec))
        case "gp":
            return surrogate.GaussianProcess(spec)
        case "recommended":
            return surrogate.recommended(spec)
        case _:
            raise ValueError(f"expected one of {', '.join(PREDICTORS)}, not {name!r}")
