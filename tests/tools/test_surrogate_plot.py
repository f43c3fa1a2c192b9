import xml.etree.ElementTree as ET

import numpy as np

from pnas_surrogate.benchmark import Evaluation, Predictions, Trials
from pnas_tools._surrogate_plot import plot_predictions

SVG = "{http://www.w3.org/2000/svg}"


def predictions(n: int, *, upside_down: bool = False) -> Predictions:
    true = np.random.default_rng(0).normal(size=(20, n))
    return Predictions(true=true, predicted=-true if upside_down else true)


def trials(size: int, next_size: int | None) -> Trials:
    unseen = predictions(300, upside_down=True)
    return Trials(
        predictor="mlp", size=size, next_size=next_size, training=predictions(9), same_size=unseen, unseen=unseen
    )


def texts(image: bytes) -> list[str]:
    return [text.text or "" for text in ET.fromstring(image).iter(f"{SVG}text")]


def test_every_size_has_its_two_panels_with_their_mean_correlations() -> None:
    evaluation = Evaluation(trials=(trials(1, 2), trials(2, 4)))
    image = plot_predictions(evaluation, "mlp")
    shown = texts(image)
    for text in ("mlp", "b=1, trained on", "b=2, unseen", "b=2, trained on", "b=4, unseen", "true score"):
        assert shown.count(text) == 1
    assert (shown.count("rank correlation 1.000"), shown.count("rank correlation -1.000")) == (2, 2)
    assert len(list(ET.fromstring(image).iter(f"{SVG}image"))) == 4
    assert image == plot_predictions(evaluation, "mlp")


def test_a_table_of_one_size_has_one_column() -> None:
    shown = texts(plot_predictions(Evaluation(trials=(trials(6, None),)), "mlp"))
    assert {"b=6, trained on", "others of the same size"} <= set(shown)
