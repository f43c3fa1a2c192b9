"""Fitting predictors, and scoring all children of a beam: against plain PyTorch, written as one would well.

Plain: one member after the other, of `nn.Embedding`, `nn.Linear` and `nn.LSTM`, with sequences packed by length, and no
work shared between sequences. Scoring all children so would take minutes, so that it scores one in 64 of them. The
plain Gaussian process is scikit-learn's, with one kernel over the tokens one-hot.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from scipy.stats import spearmanr
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import RBF, ConstantKernel, WhiteKernel
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence

from pnas_searchspace import CellSpace
from pnas_surrogate import Ensemble, GaussianProcess, LSTMPredictor, MLPPredictor, SequenceSpec

SPACE = CellSpace()
SPEC = SequenceSpec(kinds=("input", "operation") * 2, vocabulary=SPACE.vocabulary(5))
OFFSETS = torch.tensor([0, SPEC.vocabulary["input"]] * 10)
N_TOKENS = sum(SPEC.vocabulary.values())
N_MEMBERS, N_EPOCHS, BATCH_SIZE, ONE_IN = 5, 5, 32, 64
PREDICTORS = {"MLP": MLPPredictor, "LSTM": LSTMPredictor}


class MLP(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.embedding = nn.Embedding(N_TOKENS, 100)
        self.layers = nn.Sequential(
            nn.Linear(400, 100), nn.ReLU(), nn.Linear(100, 100), nn.ReLU(), nn.Linear(100, 1), nn.Sigmoid()
        )

    def forward(self, sequences: Tensor, lengths: Tensor) -> Tensor:
        groups = self.embedding(sequences).unflatten(1, (-1, 4)).flatten(2)
        there = torch.arange(groups.shape[1]) < lengths[:, None] // 4
        scores: Tensor = self.layers((groups * there[:, :, None]).sum(1) / there.sum(1, keepdim=True))
        return scores.squeeze(1)


class LSTM(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.embedding = nn.Embedding(N_TOKENS, 100)
        self.lstm = nn.LSTM(100, 100, batch_first=True)
        self.layers = nn.Sequential(nn.Linear(100, 1), nn.Sigmoid())

    def forward(self, sequences: Tensor, lengths: Tensor) -> Tensor:
        packed = pack_padded_sequence(self.embedding(sequences), lengths, batch_first=True, enforce_sorted=False)
        scores: Tensor = self.layers(self.lstm(packed)[1][0][0])
        return scores.squeeze(1)


NETWORKS: dict[str, Callable[[], nn.Module]] = {"MLP": MLP, "LSTM": LSTM}


def plain_inputs(X: NDArray[np.int64]) -> tuple[Tensor, Tensor]:
    """Sequences of tokens that are numbered through over both kinds, and their lengths."""
    tokens = torch.from_numpy(X)
    return (tokens + OFFSETS).clamp_min(0), (tokens >= 0).sum(1)


def train_plain(network: nn.Module, X: NDArray[np.int64], y: NDArray[np.float64]) -> nn.Module:
    (sequences, lengths), targets = plain_inputs(X), torch.from_numpy(y).float()
    with torch.no_grad():
        network.embedding.weight.uniform_(-0.1, 0.1)
        network.layers[-2].bias.fill_(1.8)
    optimizer = torch.optim.Adam(network.parameters(), lr=0.002)
    for _ in range(N_EPOCHS):
        for batch in torch.randperm(len(y)).split(BATCH_SIZE):
            optimizer.zero_grad()
            nn.functional.l1_loss(network(sequences[batch], lengths[batch]), targets[batch]).backward()
            optimizer.step()
    return network


@torch.no_grad()
def score_plain(networks: list[nn.Module], X: NDArray[np.int64]) -> NDArray[np.float64]:
    sequences, lengths = (part.split(1024) for part in plain_inputs(X))
    scores = [torch.cat([*map(network, sequences, lengths)]) for network in networks]
    return torch.stack(scores).mean(0).double().numpy()


@torch.no_grad()
def as_module(kind: str, model: Ensemble, member: int) -> nn.Module:
    """A fitted member's weights as PyTorch's own layers have them."""
    network = NETWORKS[kind]()
    inputs, operations, *weights = (parameter[member] for parameter in model.predictor_.network_.parameters)
    network.embedding.weight.copy_(torch.cat([inputs, operations]))
    if kind == "LSTM":
        lstm, (input_weight, recurrent_weight, bias, *weights) = network.lstm, weights
        lstm.weight_ih_l0.copy_(input_weight.T)
        lstm.weight_hh_l0.copy_(recurrent_weight.T)
        lstm.bias_ih_l0.copy_(bias[0])
        lstm.bias_hh_l0.zero_()
    for layer, weight, bias in zip(network.layers[::2], weights[::2], weights[1::2], strict=True):
        layer.weight.copy_(weight.T)
        layer.bias.copy_(bias[0])
    return network


@pytest.fixture(scope="module")
def samples() -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """As many cells of every size as the paper trains, and a noisy score that depends on their operations."""
    sizes = [SPACE.one_block_cells(), *(SPACE.sample(n_blocks, 256, n_blocks) for n_blocks in range(2, 6))]
    X = np.full((sum(map(len, sizes)), 20), -1)
    rows = iter(X)
    effects = np.linspace(-0.1, 0.1, 8)
    for cells in sizes:
        for sequence in SPACE.encode(cells):
            next(rows)[: len(sequence)] = sequence
    used = X[:, 1::2] >= 0
    noise = np.random.default_rng(0).normal(scale=0.01, size=len(X))
    return X, 0.85 + (effects[X[:, 1::2]] * used).sum(1) / used.sum(1) + noise


@pytest.fixture(scope="module")
def children() -> NDArray[np.int64]:
    return SPACE.encode(SPACE.expand(SPACE.sample(4, 256, 0))[0])


def fit_batched(kind: str, X: NDArray[np.int64], y: NDArray[np.float64]) -> NDArray[np.float64]:
    model = Ensemble(PREDICTORS[kind](SPEC, n_epochs=N_EPOCHS, batch_size=BATCH_SIZE), n_members=N_MEMBERS)
    return model.fit(X, y).predict(X)


def fit_one_after_the_other(kind: str, X: NDArray[np.int64], y: NDArray[np.float64]) -> NDArray[np.float64]:
    fold = np.arange(len(y)) % N_MEMBERS
    networks = [train_plain(NETWORKS[kind](), X[fold != left_out], y[fold != left_out]) for left_out in set(fold)]
    return score_plain(networks, X)


@pytest.mark.parametrize("kind", ["MLP", "LSTM"])
@pytest.mark.parametrize("way", [fit_batched, fit_one_after_the_other])
def test_fit(benchmark: Any, way: Any, kind: str, samples: tuple[NDArray[np.int64], NDArray[np.float64]]) -> None:
    X, y = samples
    benchmark.group = f"fit {N_MEMBERS} {kind}s to {len(X):,} sequences, {N_EPOCHS} epochs"
    predictions = benchmark.pedantic(way, args=(kind, X, y), rounds=3, warmup_rounds=1)
    assert spearmanr(predictions, y).statistic > 0.5


def fit_process(X: NDArray[np.int64], y: NDArray[np.float64]) -> NDArray[np.float64]:
    return GaussianProcess(SPEC).fit(X, y).predict(X)


def fit_process_of_scikit_learn(X: NDArray[np.int64], y: NDArray[np.float64]) -> NDArray[np.float64]:
    one_hot = (X[:, :, None] == np.arange(8)).reshape(len(X), -1).astype(float)
    model = GaussianProcessRegressor(ConstantKernel() * RBF() + WhiteKernel(), normalize_y=True).fit(one_hot, y)
    predicted: NDArray[np.float64] = model.predict(one_hot)
    return predicted


@pytest.mark.parametrize("way", [fit_process, fit_process_of_scikit_learn])
def test_fit_process(benchmark: Any, way: Any, samples: tuple[NDArray[np.int64], NDArray[np.float64]]) -> None:
    benchmark.group = f"fit a Gaussian process to {len(samples[0]):,} sequences"
    predictions = benchmark.pedantic(way, args=samples, rounds=1)
    assert spearmanr(predictions, samples[1]).statistic > 0.9


def test_score_with_process(
    benchmark: Any, samples: tuple[NDArray[np.int64], NDArray[np.float64]], children: NDArray[np.int64]
) -> None:
    benchmark.group = f"score the {len(children):,} children of 256 cells with a Gaussian process"
    model = GaussianProcess(SPEC, max_iterations=1).fit(*samples)
    scores = benchmark.pedantic(model.predict, args=(children,), rounds=1)
    assert scores.shape == (len(children),)


@pytest.mark.parametrize("kind", ["MLP", "LSTM"])
@pytest.mark.parametrize("way", ["ours, all", "plain, one in 64"])
def test_score(
    benchmark: Any,
    way: str,
    kind: str,
    samples: tuple[NDArray[np.int64], NDArray[np.float64]],
    children: NDArray[np.int64],
) -> None:
    benchmark.group = f"score the {len(children):,} children of 256 cells with {N_MEMBERS} {kind}s"
    model = Ensemble(PREDICTORS[kind](SPEC, n_epochs=1), n_members=N_MEMBERS).fit(*samples)
    if way == "ours, all":
        scores = benchmark.pedantic(model.predict, args=(children,), rounds=3)[::ONE_IN]
    else:
        networks = [as_module(kind, model, member) for member in range(N_MEMBERS)]
        scores = benchmark.pedantic(score_plain, args=(networks, children[::ONE_IN]), rounds=3)
        scores = model.predictor_.scale_.undo(scores)
    np.testing.assert_allclose(scores, model.predict(children[::ONE_IN]), rtol=1e-4)
