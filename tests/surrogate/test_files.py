import json
import os
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file
from sklearn.exceptions import NotFittedError

from pnas_surrogate import Ensemble, MLPPredictor, Predictor, SequenceSpec, SurrogateError

SPEC = SequenceSpec(kinds=("token",), vocabulary={"token": 4})
X = [[0], [1, 2], [3, 3, 3]]
FORMAT = "pnas-surrogate-1"


class Constant(Predictor):
    """A third party's: it predicts what it is told to."""

    def __init__(self, spec, value=0.0):
        self.spec = spec
        self.value = value

    def _fit(self, tokens, y):
        self.fitted_value_ = self.value

    def _predict(self, tokens, return_std):
        return np.full(len(tokens), self.fitted_value_), np.zeros(len(tokens))

    def _state(self):
        return {"value": np.array(self.fitted_value_)}

    def _restore(self, state):
        self.fitted_value_ = float(state["value"])


@pytest.fixture
def path(tmp_path):
    return tmp_path / "predictor.safetensors"


def saved(path, predictor=None):
    (Constant(SPEC, 0.5) if predictor is None else predictor).fit(X, [0, 1, 2]).save(path)
    return path


def with_description(path, description):
    save_file({"value": np.zeros(())}, path, {FORMAT: description})


@pytest.mark.parametrize(
    "predictor",
    [
        Constant(SPEC, np.float32(0.5)),
        MLPPredictor(SPEC, n_epochs=np.int64(2)),
        Ensemble(MLPPredictor(SPEC, n_epochs=2), n_members=np.int64(3)),
    ],
    ids=lambda predictor: type(predictor).__name__,
)
def test_what_is_loaded_predicts_the_same_and_can_be_fitted_again(path, predictor):
    saved(str(path), predictor)
    for cls in (type(predictor), Predictor):
        loaded = cls.load(str(path))
        np.testing.assert_array_equal(loaded.predict(X, return_std=True), predictor.predict(X, return_std=True))
        assert loaded.spec_ == SPEC
        np.testing.assert_array_equal(loaded.fit(X, [3, 1, 2]).predict(X), predictor.fit(X, [3, 1, 2]).predict(X))
        predictor.fit(X, [0, 1, 2])


def test_equal_predictors_make_equal_files(path, tmp_path):
    other = tmp_path / "other"
    saved(path, Ensemble(MLPPredictor(SPEC, n_epochs=1), n_members=2))
    saved(other, Ensemble(MLPPredictor(SPEC, n_epochs=1), n_members=2))
    assert path.read_bytes() == other.read_bytes()


@pytest.mark.parametrize(
    ("predictor", "changes"),
    [
        (Constant(SPEC, 0.5), {"value": 2.0, "spec": SequenceSpec(kinds=("a",), vocabulary={"a": 1})}),
        (MLPPredictor(SPEC, n_epochs=1), {"hidden_size": 7, "spec": SequenceSpec(kinds=("a",), vocabulary={"a": 1})}),
        (
            Ensemble(MLPPredictor(SPEC, n_epochs=1), n_members=2),
            {"predictor": Constant(SequenceSpec(kinds=("a",), vocabulary={"a": 1})), "n_members": 3},
        ),
    ],
    ids=lambda value: type(value).__name__,
)
def test_the_parameters_in_a_file_are_those_of_the_fit(path, predictor, changes):
    predictor.fit(X, [0, 1, 2])
    expected, before = predictor.predict(X), repr(predictor)
    predictor.set_params(**changes).save(path)
    loaded = type(predictor).load(path, SPEC)
    np.testing.assert_array_equal(loaded.predict(X), expected)
    assert repr(loaded) == before


def test_an_unfitted_predictor_is_not_saved(path):
    with pytest.raises(NotFittedError, match="this Constant has not been fitted"):
        Constant(SPEC).save(path)
    assert not path.exists()


def test_a_parameter_that_cannot_be_saved_is_refused_and_leaves_an_older_file_as_it_was(path):
    before = saved(path).read_bytes()
    with pytest.raises(SurrogateError, match=r"a parameter is array\(0.5\), which cannot be saved"):
        saved(path, Constant(SPEC, np.array(0.5)))
    assert path.read_bytes() == before


def test_a_full_disk_leaves_an_older_file_as_it_was_and_nothing_else(path, monkeypatch):
    before = saved(path).read_bytes()

    def write_half(part, content):
        with part.open("wb") as file:
            file.write(content[: len(content) // 2])
        raise OSError(28, os.strerror(28))

    monkeypatch.setattr(Path, "write_bytes", write_half)
    with pytest.raises(OSError, match="No space left"):
        saved(path, Constant(SPEC, 0.25))
    assert path.read_bytes() == before
    assert list(path.parent.iterdir()) == [path]


def test_a_file_of_another_class_or_another_spec_is_refused(path):
    saved(path)
    with pytest.raises(
        SurrogateError, match=r"predictor.safetensors is not the saved Ensemble .*: it holds a Constant"
    ):
        Ensemble.load(path)
    other = SequenceSpec(kinds=("token",), vocabulary={"token": 5})
    with pytest.raises(SurrogateError, match=r"it is for SequenceSpec\(.*'token': 4}\), not for .*'token': 5}\)"):
        Constant.load(path, other)


def missing(path):
    path.unlink()


def folder(path):
    path.unlink()
    path.mkdir()


def empty(path):
    path.write_bytes(b"")


def truncated(path):
    path.write_bytes(path.read_bytes()[:-3])


def text(path):
    path.write_text("accuracy,cell\n0.9,1 2 3 4\n")


def pickled(path):
    path.write_bytes(b"\x80\x04cos\nsystem\n\x94\x8c\x04exit\x94\x85\x94R\x94.")


def of_others(path):
    save_file({"weight": np.zeros(2)}, path, {"format": "pt"})


def without_metadata(path):
    save_file({"weight": np.zeros(2)}, path)


def without_tensors(path):
    description = described(path)
    save_file({"other": np.zeros(2)}, path, {FORMAT: description})


def with_other_shapes(path):
    description = described(path)
    save_file({"value": np.zeros(2)}, path, {FORMAT: description})


def described(path):
    header = path.read_bytes()[8:]
    return json.JSONDecoder().raw_decode(header.decode("latin-1"))[0]["__metadata__"][FORMAT]


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (missing, "No such file"),
        (folder, "error"),
        (empty, "header"),
        (truncated, "incomplete|buffer|Metadata"),
        (text, "header"),
        (pickled, "header"),
        (of_others, r"its metadata must have the entry 'pnas-surrogate-1', and have \['format'\]"),
        (without_metadata, r"its metadata must have the entry 'pnas-surrogate-1', and have \[\]"),
        (without_tensors, r"KeyError\('value'\)"),
        (with_other_shapes, "converted to Python scalars"),
    ],
)
def test_what_is_no_whole_file_of_a_predictor_is_refused_in_a_sentence_with_its_path(path, damage, message):
    saved(path)
    damage(path)
    with pytest.raises(SurrogateError, match=message) as refused:
        Constant.load(path)
    assert str(refused.value).startswith(f"{path} is not the saved Constant that was expected: ")
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda _: "{", "Expecting property name"),
        (lambda _: "[" * 100_000, "decoding a JSON array"),
        (lambda _: "5", "it holds a int"),
        (lambda _: "null", "it holds a NoneType"),
        (lambda described: described.replace(".Constant", ".Unknown"), r"holds a \w+.Unknown, which is not known"),
        (lambda described: described.replace(".Constant", ".MemberPredictor"), "not known"),
        (lambda described: described.replace('"value"', '"colour"'), "unexpected keyword argument 'colour'"),
        (lambda described: described.replace('"token": 4', '"token": 0'), "must have 1 token or more, not 0"),
        (lambda described: described.replace('"token": 4', '"token": "4"'), "must have 1 token or more, not '4'"),
        (lambda described: described.replace('["token"]', "[[]]"), "unhashable"),
        (lambda described: described.replace('"parameters"', '"arguments"'), "expected the description of a predictor"),
    ],
)
def test_metadata_that_are_not_ours_are_refused_in_a_sentence_with_their_path(path, change, message):
    saved(path)
    with_description(path, change(described(path)))
    with pytest.raises(SurrogateError, match=message) as refused:
        Constant.load(path)
    assert str(refused.value).startswith(f"{path} is not the saved Constant that was expected: ")
    assert "\n" not in str(refused.value)


def test_weights_of_another_shape_than_the_parameters_say_are_refused(path):
    saved(path, MLPPredictor(SPEC, n_epochs=1, hidden_size=8))
    tensors, description = load_file(path), described(path).replace('"hidden_size": 8', '"hidden_size": 9')
    save_file(tensors, path, {FORMAT: description})
    with pytest.raises(SurrogateError, match="is not the saved MLPPredictor that was expected"):
        MLPPredictor.load(path)
