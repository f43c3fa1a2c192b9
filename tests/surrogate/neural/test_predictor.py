import copy
import pickle
from typing import Any

import numpy as np
import pytest
import torch
from sklearn.base import clone

from pnas_surrogate import LSTMPredictor, MLPPredictor, SequenceSpec, SurrogateError
from pnas_surrogate._sequences import pack

SMALL = {"embedding_size": 5, "hidden_size": 8}


@pytest.fixture(params=[MLPPredictor, LSTMPredictor])
def predictor(request):
    return request.param


@pytest.fixture
def samples(draw_sequences, additive_score):
    X = draw_sequences(40, 2, 0)
    return X, additive_score(X)


def of_members(network: Any, inputs: torch.Tensor) -> torch.Tensor:
    """What every member scores the same prepared sequences."""
    n_members = len(network.parameters[0])
    scores: torch.Tensor = network.training_scores(inputs.expand(n_members, *inputs.shape))
    return scores


def test_members_trained_together_are_the_members_trained_alone(spec, draw_sequences, predictor):
    """The reference trains each member by itself, with PyTorch's Adam and the mean over the member's own samples."""
    X = [*draw_sequences(8, 1, 0), *draw_sequences(9, 3, 1)]
    tokens, y = pack(X, spec), np.random.default_rng(2).uniform(size=len(X))
    samples = [np.arange(17), np.arange(3, 12), np.array([16, 2, 9, 0])]
    # One batch an epoch, so that the order of the samples makes no difference.
    model = predictor(spec, n_epochs=15, batch_size=17, learning_rate=0.01, random_state=4, **SMALL)
    model.fit_members(tokens, y, samples)
    together = model.network_.scores(tokens)

    for member, sample in enumerate(samples):
        network = model._make_network(len(samples), torch.Generator().manual_seed(4))
        inputs, targets = network.prepare(tokens[sample]), torch.from_numpy(model.scale_.apply(y[sample])).float()
        optimizer = torch.optim.Adam(network.parameters, lr=0.01)
        for _ in range(15):
            optimizer.zero_grad()
            (of_members(network, inputs)[member] - targets).abs().mean().backward()
            optimizer.step()
        fitted, alone = (of_members(n, inputs)[member].detach() for n in (model.network_, network))
        torch.testing.assert_close(fitted, alone, rtol=1e-3, atol=1e-4)
        np.testing.assert_allclose(together[member, sample], fitted, rtol=1e-5)


def test_what_one_member_learns_does_not_depend_on_the_samples_of_another(spec, samples, predictor):
    X, y = samples
    tokens = pack(X, spec)
    own, others = np.arange(20), [np.arange(20, 40), np.arange(10, 30)]
    fitted = []
    for other in others:
        model = predictor(spec, n_epochs=3, batch_size=7, **SMALL)
        model.fit_members(tokens, y, [own, other])
        fitted.append(model.predict_members(tokens))
    np.testing.assert_array_equal(fitted[0][0], fitted[1][0])
    assert (fitted[0][1] != fitted[1][1]).any()


def test_an_epoch_visits_every_sample_of_a_member_and_no_other(predictor, monkeypatch):
    """Every sample has a token of its own, and training leaves the embedding of one that a member does not see."""
    monkeypatch.setattr(predictor, "_fill_unseen", lambda *_: None)
    spec = SequenceSpec(kinds=("token",), vocabulary={"token": 22})
    tokens = pack([[token] for token in range(21)], spec)
    # Sample 0, which stands in for absent ones, is in the first member alone.
    samples = [np.arange(21), np.arange(1, 12), np.array([20, 3])]
    after, before = (predictor(spec, n_epochs=n_epochs, batch_size=4, **SMALL) for n_epochs in (1, 0))
    for model in (after, before):
        model.fit_members(tokens, np.linspace(0, 1, 21), samples)
    embeddings, initial = (model.network_.parameters[0].detach() for model in (after, before))
    moved = (embeddings != initial).any(-1)
    assert [set(row.nonzero().flatten().tolist()) for row in moved] == [set(sample.tolist()) for sample in samples]


def test_ragged_sequences_predict_what_each_predicts_alone(spec, samples, draw_sequences, predictor):
    model = predictor(spec, n_epochs=3).fit(*samples)
    ragged = [row for n_groups in (4, 1, 3, 2) for row in draw_sequences(3, n_groups, n_groups)]
    together = model.predict(ragged)
    np.testing.assert_allclose(together, np.concatenate([model.predict([row]) for row in ragged]), rtol=1e-5)
    assert len(set(together.round(7))) == len(ragged)


def test_a_fit_is_a_function_of_its_data_and_random_state(spec, samples, predictor):
    def fitted(random_state):
        return predictor(spec, n_epochs=3, random_state=random_state, **SMALL).fit(*samples).predict(samples[0])

    np.testing.assert_array_equal(fitted(3), fitted(3))
    np.testing.assert_array_equal(fitted(3), fitted(np.int64(3)))
    assert (fitted(3) != fitted(4)).all()


def test_fitting_again_starts_from_scratch(spec, samples, predictor):
    X, y = samples
    model = predictor(spec, n_epochs=3, **SMALL)
    once = model.fit(X, y).predict(X)
    model.fit(X, 1 - y)
    np.testing.assert_array_equal(model.fit(X, y).predict(X), once)


def test_the_global_random_states_are_left_alone_and_make_no_difference(spec, samples, predictor):
    torch.manual_seed(1)
    np.random.seed(1)  # noqa: NPY002  # the state that others share is what this is about
    state, numpy_state = torch.get_rng_state(), np.random.get_state()[1].tolist()  # noqa: NPY002
    first = predictor(spec, n_epochs=2, **SMALL).fit(*samples).predict(samples[0])
    assert torch.equal(torch.get_rng_state(), state)
    assert np.random.get_state()[1].tolist() == numpy_state  # noqa: NPY002
    torch.manual_seed(2)
    np.testing.assert_array_equal(predictor(spec, n_epochs=2, **SMALL).fit(*samples).predict(samples[0]), first)


@pytest.mark.parametrize(
    "y", [np.full(5, 0.5), np.zeros(5), np.ones(5), np.array([0, 0, 1, 1, 0.5])], ids=["half", "0", "1", "mixed"]
)
@pytest.mark.parametrize("duplicated", [False, True], ids=["distinct", "duplicated"])
def test_five_samples_fit_whatever_they_are(spec, draw_sequences, y, duplicated, predictor):
    X = np.repeat(draw_sequences(1, 2, 0), 5, axis=0) if duplicated else draw_sequences(5, 2, 0)
    predictions = predictor(spec, n_epochs=30, batch_size=2).fit(X, y).predict(draw_sequences(50, 3, 1))
    assert predictions.dtype == np.float64
    assert np.abs(predictions - y.mean()).max() < (1 if np.ptp(y) else 0.1)


@pytest.mark.parametrize("constant", [0.4, -1e6])
def test_a_constant_score_is_learned(spec, draw_sequences, constant, predictor):
    X = draw_sequences(30, 2, 0)
    predictions = predictor(spec).fit(X, np.full(30, constant)).predict(X)
    np.testing.assert_allclose(predictions, constant, atol=0.05)


def test_scores_in_another_unit_and_of_another_origin_give_predictions_that_are(spec, samples, predictor):
    X, y = samples
    predictions, others = (
        predictor(spec, n_epochs=3, **SMALL).fit(X, scores).predict(X) for scores in (y, 250 * y - 3000)
    )
    np.testing.assert_allclose((others + 3000) / 250, predictions, atol=1e-4 * np.ptp(predictions))


def test_a_token_that_no_sample_held_stands_for_the_average_of_those_that_did(spec, draw_sequences, predictor):
    X = draw_sequences(40, 2, 0) % np.array([4, 8, 4, 8] * 2)
    X[:20, 0] = 3  # a token that the second member has not seen
    X[20:][X[20:] == 3] = 2
    tokens, y = pack(X, spec), np.linspace(0, 1, 40)
    model = predictor(spec, n_epochs=3, **SMALL)
    model.fit_members(tokens, y, [np.arange(40), np.arange(20, 40)])
    inputs = model.network_.embeddings["input"].detach()
    torch.testing.assert_close(inputs[0, 4:], inputs[0, :4].mean(0).expand(2, -1))
    torch.testing.assert_close(inputs[1, 3:], inputs[1, :3].mean(0).expand(3, -1))
    assert (inputs[0, 3] != inputs[0, :4].mean(0)).all()


def test_a_warm_start_goes_on_from_the_weights_that_there_are(spec, samples, predictor):
    X, y = samples
    model = predictor(spec, n_epochs=3, **SMALL).fit(X, y)
    once = model.predict(X)
    # One epoch more would make a difference, and none makes none.
    np.testing.assert_array_equal(model.set_params(warm_start=True, n_epochs=0).fit(X, y).predict(X), once)
    twice = model.set_params(n_epochs=3).fit(X, y).predict(X)
    assert (twice != once).all()
    assert np.abs(twice - y).mean() < np.abs(once - y).mean()
    np.testing.assert_array_equal(model.set_params(warm_start=False).fit(X, y).predict(X), once)


def test_another_number_of_members_starts_from_scratch(spec, samples, predictor):
    X, y = samples
    tokens, folds = pack(X, spec), [np.arange(20), np.arange(20, 40)]
    cold, warm = (predictor(spec, n_epochs=2, warm_start=warm_start, **SMALL) for warm_start in (False, True))
    warm.fit_members(tokens, y, folds[:1])
    for model in (cold, warm):
        model.fit_members(tokens, y, folds)
    np.testing.assert_array_equal(warm.predict_members(tokens), cold.predict_members(tokens))


def test_its_members_state_restores_what_predicts_the_same_and_goes_on_from_there(spec, samples, predictor):
    X, y = samples
    tokens, folds = pack(X, spec), [np.arange(25), np.arange(15, 40)]
    model, restored = (predictor(spec, n_epochs=2, warm_start=True, **SMALL) for _ in range(2))
    model.fit_members(tokens, y, folds)
    restored.restore_members(copy.deepcopy(model.member_state()))
    np.testing.assert_array_equal(restored.predict_members(tokens), model.predict_members(tokens))
    for each in (model, restored):
        each.fit_members(tokens, y, folds)
    np.testing.assert_array_equal(restored.predict_members(tokens), model.predict_members(tokens))


def test_scores_may_be_reversed_or_read_only(spec, samples, predictor):
    X, y = samples
    expected = predictor(spec, n_epochs=2, **SMALL).fit(X[::-1].copy(), y[::-1].copy()).predict(X)
    y.flags.writeable = False
    np.testing.assert_array_equal(predictor(spec, n_epochs=2, **SMALL).fit(X[::-1], y[::-1]).predict(X), expected)


@pytest.mark.parametrize("copied", [lambda model: pickle.loads(pickle.dumps(model)), copy.deepcopy])
def test_a_copy_of_a_fitted_model_predicts_the_same(spec, samples, copied, predictor):
    model = predictor(spec, n_epochs=2, **SMALL).fit(*samples)
    np.testing.assert_array_equal(copied(model).predict(samples[0]), model.predict(samples[0]))


def test_parameters_survive_clone_and_set_params(spec, predictor):
    model = predictor(spec, hidden_size=7, initial_bias=0.5)
    assert clone(model).get_params() == model.get_params()
    assert model.set_params(hidden_size=9).get_params()["hidden_size"] == 9
    assert model.get_params()["spec"] == spec


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ({"hidden_size": 0}, "hidden_size must be an integer, 1 or more, not 0"),
        ({"embedding_size": 2.5}, "embedding_size must be an integer, 1 or more, not 2.5"),
        ({"batch_size": 0}, "batch_size must be an integer, 1 or more, not 0"),
        ({"n_epochs": -1}, "n_epochs must be an integer, 0 or more, not -1"),
        ({"random_state": None}, "random_state must be an integer, 0 or more, not None"),
        ({"learning_rate": 0}, "learning_rate must be a finite number above 0, not 0"),
        ({"learning_rate": np.nan}, "learning_rate must be a finite number above 0, not nan"),
    ],
)
def test_a_setting_that_cannot_be_is_refused_when_fitting(spec, samples, predictor, setting, message):
    with pytest.raises(SurrogateError, match=message):
        predictor(spec).set_params(**setting).fit(*samples)


@pytest.mark.parametrize("changed", [{"hidden_size": 7}, {"embedding_size": 3}, {"spec": None}])
def test_a_warm_start_with_networks_of_another_shape_starts_from_scratch(spec, samples, predictor, changed):
    wider = SequenceSpec(kinds=spec.kinds, vocabulary={kind: size + 1 for kind, size in spec.vocabulary.items()})
    changed = {"spec": wider} if "spec" in changed else changed
    model = predictor(spec, n_epochs=1, warm_start=True, **SMALL).fit(*samples).set_params(**changed).fit(*samples)
    fresh = predictor(spec, n_epochs=1, **SMALL).set_params(**changed).fit(*samples)
    np.testing.assert_array_equal(model.predict(samples[0]), fresh.predict(samples[0]))
