import copy
import pickle

import numpy as np
import pytest
import torch
from scipy.stats import spearmanr
from sklearn.base import clone
from sklearn.model_selection import cross_val_score

from pnas_surrogate import MLPPredictor, SequenceSpec
from pnas_surrogate._mlp_network import MLPNetwork
from pnas_surrogate._sequences import pack

SMALL = {"embedding_size": 5, "hidden_size": 8}


@pytest.fixture
def samples(draw_sequences, additive_score):
    X = draw_sequences(40, 2, 0)
    return X, additive_score(X)


def test_it_ranks_an_additive_law_on_sequences_one_group_longer_than_it_saw(spec, draw_sequences, additive_score):
    short = [draw_sequences(n, n_groups, n_groups) for n, n_groups in [(64, 1), (192, 2)]]
    X = [row for rows in short for row in rows]
    model = MLPPredictor(spec, n_epochs=60).fit(X, np.concatenate([additive_score(rows) for rows in short]))
    unseen = draw_sequences(300, 3, 3)
    predictions = model.predict(unseen)
    assert spearmanr(predictions, additive_score(unseen)).statistic > 0.9
    assert ((predictions > 0) & (predictions < 1)).all()


def test_members_trained_together_are_the_members_trained_alone(spec, draw_sequences):
    """The reference trains each member by itself, with PyTorch's Adam and the mean over the member's own samples."""
    X = [*draw_sequences(8, 1, 0), *draw_sequences(9, 3, 1)]
    tokens, y = pack(X, spec), np.random.default_rng(2).uniform(size=len(X))
    samples = [np.arange(17), np.arange(3, 12), np.array([16, 2, 9, 0])]
    # One batch an epoch, so that the order of the samples makes no difference.
    model = MLPPredictor(spec, n_epochs=15, batch_size=17, learning_rate=0.05, random_state=4, **SMALL)
    model.fit_members(tokens, y, samples)
    together = model.predict_members(tokens)

    for member, sample in enumerate(samples):
        network = MLPNetwork(
            spec,
            n_members=3,
            initial_bias=1.8,
            embedding_range=0.1,
            generator=torch.Generator().manual_seed(4),
            **SMALL,
        )
        optimizer = torch.optim.Adam(network.parameters, lr=0.05)
        for _ in range(15):
            optimizer.zero_grad()
            predictions = network(torch.from_numpy(tokens[sample]))[member]
            (predictions - torch.from_numpy(y[sample]).float()).abs().mean().backward()
            optimizer.step()
        alone = network(torch.from_numpy(tokens))[member].detach().numpy()
        np.testing.assert_allclose(together[member], alone, rtol=1e-3)


def test_what_one_member_learns_does_not_depend_on_the_samples_of_another(spec, samples):
    X, y = samples
    tokens = pack(X, spec)
    own, others = np.arange(20), [np.arange(20, 40), np.arange(10, 30)]
    fitted = []
    for other in others:
        model = MLPPredictor(spec, n_epochs=3, batch_size=7, **SMALL)
        model.fit_members(tokens, y, [own, other])
        fitted.append(model.predict_members(tokens))
    np.testing.assert_array_equal(fitted[0][0], fitted[1][0])
    assert (fitted[0][1] != fitted[1][1]).any()


def test_an_epoch_visits_every_sample_of_a_member_and_no_other():
    """Every sample has a token of its own, and a token that a member does not see keeps its initial embedding."""
    spec = SequenceSpec(kinds=("token",), vocabulary={"token": 22})
    tokens = pack([[token] for token in range(21)], spec)
    # Sample 0, which stands in for absent ones, is in the first member alone.
    samples = [np.arange(21), np.arange(1, 12), np.array([20, 3])]
    after, before = (MLPPredictor(spec, n_epochs=n_epochs, batch_size=4, **SMALL) for n_epochs in (1, 0))
    for model in (after, before):
        model.fit_members(tokens, np.linspace(0, 1, 21), samples)
    embeddings, initial = (model.network_.parameters[0].detach() for model in (after, before))
    moved = (embeddings != initial).any(-1)
    assert [set(row.nonzero().flatten().tolist()) for row in moved] == [set(sample.tolist()) for sample in samples]
    assert np.isfinite(after.predict_members(pack([[21]], spec))).all()


def test_ragged_sequences_predict_what_each_predicts_alone(spec, samples, draw_sequences):
    model = MLPPredictor(spec, n_epochs=3).fit(*samples)
    ragged = [row for n_groups in (4, 1, 3, 2) for row in draw_sequences(3, n_groups, n_groups)]
    together = model.predict(ragged)
    np.testing.assert_allclose(together, np.concatenate([model.predict([row]) for row in ragged]), rtol=1e-5)
    assert len(set(together.round(7))) == len(ragged)


def test_more_sequences_than_a_prediction_batch_predict_the_same(spec, samples):
    model = MLPPredictor(spec, n_epochs=1, **SMALL).fit(*samples)
    X = samples[0]
    np.testing.assert_allclose(model.predict(np.tile(X, (130, 1))), np.tile(model.predict(X), 130), rtol=1e-5)


def test_a_fit_is_a_function_of_its_data_and_random_state(spec, samples):
    def fitted(random_state):
        return MLPPredictor(spec, n_epochs=3, random_state=random_state, **SMALL).fit(*samples).predict(samples[0])

    np.testing.assert_array_equal(fitted(3), fitted(3))
    np.testing.assert_array_equal(fitted(3), fitted(np.int64(3)))
    assert (fitted(3) != fitted(4)).all()


def test_fitting_again_starts_from_scratch(spec, samples):
    X, y = samples
    model = MLPPredictor(spec, n_epochs=3, **SMALL)
    once = model.fit(X, y).predict(X)
    model.fit(X, 1 - y)
    np.testing.assert_array_equal(model.fit(X, y).predict(X), once)


def test_the_global_random_states_are_left_alone_and_make_no_difference(spec, samples):
    torch.manual_seed(1)
    np.random.seed(1)  # noqa: NPY002  # the state that others share is what this is about
    state, numpy_state = torch.get_rng_state(), np.random.get_state()[1].tolist()  # noqa: NPY002
    first = MLPPredictor(spec, n_epochs=2, **SMALL).fit(*samples).predict(samples[0])
    assert torch.equal(torch.get_rng_state(), state)
    assert np.random.get_state()[1].tolist() == numpy_state  # noqa: NPY002
    torch.manual_seed(2)
    np.testing.assert_array_equal(MLPPredictor(spec, n_epochs=2, **SMALL).fit(*samples).predict(samples[0]), first)


@pytest.mark.parametrize(
    "y", [np.full(5, 0.5), np.zeros(5), np.ones(5), np.array([0, 0, 1, 1, 0.5])], ids=["half", "0", "1", "mixed"]
)
@pytest.mark.parametrize("duplicated", [False, True], ids=["distinct", "duplicated"])
def test_five_samples_fit_whatever_they_are(spec, draw_sequences, y, duplicated):
    X = np.repeat(draw_sequences(1, 2, 0), 5, axis=0) if duplicated else draw_sequences(5, 2, 0)
    predictions = MLPPredictor(spec, n_epochs=30, batch_size=2).fit(X, y).predict(draw_sequences(50, 3, 1))
    assert predictions.dtype == np.float64
    assert ((predictions > 0) & (predictions < 1)).all()


def test_a_constant_score_is_learned(spec, draw_sequences):
    X = draw_sequences(30, 2, 0)
    predictions = MLPPredictor(spec).fit(X, np.full(30, 0.4)).predict(X)
    np.testing.assert_allclose(predictions, 0.4, atol=0.05)


def test_scores_may_be_reversed_or_read_only(spec, samples):
    X, y = samples
    expected = MLPPredictor(spec, n_epochs=2, **SMALL).fit(X[::-1].copy(), y[::-1].copy()).predict(X)
    y.flags.writeable = False
    np.testing.assert_array_equal(MLPPredictor(spec, n_epochs=2, **SMALL).fit(X[::-1], y[::-1]).predict(X), expected)


@pytest.mark.parametrize("copied", [lambda model: pickle.loads(pickle.dumps(model)), copy.deepcopy])
def test_a_copy_of_a_fitted_model_predicts_the_same(spec, samples, copied):
    model = MLPPredictor(spec, n_epochs=2, **SMALL).fit(*samples)
    np.testing.assert_array_equal(copied(model).predict(samples[0]), model.predict(samples[0]))


def test_parameters_survive_clone_and_set_params(spec):
    model = MLPPredictor(spec, hidden_size=7, initial_bias=0.5)
    assert clone(model).get_params() == model.get_params()
    assert model.set_params(hidden_size=9).get_params()["hidden_size"] == 9
    assert model.get_params()["spec"] == spec


@pytest.mark.parametrize("form", [np.asarray, lambda X: X.tolist()], ids=["array", "lists"])
def test_scikit_learn_cross_validates_it(spec, draw_sequences, additive_score, form):
    X = draw_sequences(90, 1, 0)
    scores = cross_val_score(
        MLPPredictor(spec, learning_rate=0.01, n_epochs=60), form(X), additive_score(X), cv=3, scoring="r2"
    )
    assert scores.shape == (3,)
    assert scores.min() > 0.5
