"""How well predictors rank what they have not seen: made-up laws, or tables of one size, against other methods.

    OMP_NUM_THREADS=1 python tests/benchmarks/surrogate_ranking.py laws --samples 100,300 --seeds 3 --out laws.jsonl
    OMP_NUM_THREADS=1 python tests/benchmarks/surrogate_ranking.py nb201.csv --kinds edge*6 --out tables.jsonl

Laws are those of `surrogate_laws`. A table is as `pnas-tools surrogate benchmark` takes it; of its lines some are drawn
to learn from, and 2,000 others are ranked. `--kinds` are those of a group's positions, or `token` for one kind and a
group at every position; without it, all positions are one group, and each is of its own kind. `--methods mlp,blend`
leaves out all others.

The results go to the file, one JSON line each; run again, the command goes on where it stopped. It prints what the file
holds of those numbers of samples, seeds and methods, as two Markdown tables: Spearman's rank correlations, means over
seeds; and their means over laws or tables, with the difference to `recommended` in equal trials and its 95 % interval
over them. That one takes trials as independent, which tables of one space are not.
"""

import argparse
import itertools
import json
import sys
import time
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.ensemble import GradientBoostingRegressor, RandomForestRegressor
from sklearn.exceptions import ConvergenceWarning
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import RBF, ConstantKernel, WhiteKernel
from surrogate_laws import Trial, laws
from torch import Tensor, nn
from torch.nn import functional

from pnas_surrogate import GaussianProcess, Predictor, SequenceSpec
from pnas_surrogate._gaussian_process import _predictor, _warp
from pnas_surrogate._gaussian_process._features import Columns, features
from pnas_surrogate._gaussian_process._warp import Warp
from pnas_surrogate._sequences import pack
from pnas_surrogate.benchmark import Interval
from pnas_surrogate.metrics import spearman
from pnas_tools._surrogate_csv import read_lines
from pnas_tools._surrogate_predictors import make_predictor
from pnas_tools._surrogate_table import ScoredTable, read_table

N_RANKED = 2000
BASELINE = "recommended"

Floats = NDArray[np.float64]
Method = Callable[[Trial], Floats]
"""What it predicts for the others of a trial."""
Loss = Callable[[Tensor, Tensor], Tensor]
Key = tuple[str, int, int, str]
"""The law or table, the number of samples, the seed and the method of a result."""


def predictor(make: Callable[[SequenceSpec], Predictor]) -> Method:
    return lambda trial: make(trial.spec).fit(trial.samples, trial.scores).predict(trial.others)


def one_hot(make: Callable[[], Any]) -> Method:
    """A regressor of scikit-learn's on a column for every token of every position, as NASLib's predictors get."""

    def method(trial: Trial) -> Floats:
        tokens = pack([*trial.samples, *trial.others], trial.spec)
        positions = tokens.reshape(len(tokens), -1).T
        sizes = np.resize([trial.spec.vocabulary[kind] for kind in trial.spec.kinds], len(positions))
        pairs = zip(positions, sizes, strict=True)
        columns = np.concatenate([position[:, None] == np.arange(size) for position, size in pairs], axis=1)
        n_samples = len(trial.samples)
        predicted: Floats = make().fit(columns[:n_samples], trial.scores).predict(columns[n_samples:])
        return predicted

    return method


def gaussian_process_one_hot() -> GaussianProcessRegressor:
    return GaussianProcessRegressor(ConstantKernel() * RBF() + WhiteKernel(), normalize_y=True)


def without_warp(trial: Trial) -> Floats:
    with patch.object(_warp, "_most_likely_power", return_value=1.0):
        return predictor(GaussianProcess)(trial)


def with_features(change: Callable[[list[Columns]], list[Columns]]) -> Method:
    def method(trial: Trial) -> Floats:
        with patch.object(_predictor, "features", lambda *args: change(features(*args))):
            return predictor(GaussianProcess)(trial)

    return method


def without_orders(found: list[Columns]) -> list[Columns]:
    return [columns for columns in found if not columns.are_orders]


def without_weights(found: list[Columns]) -> list[Columns]:
    for columns in found:
        if not columns.are_orders:
            columns.weights = np.full_like(columns.weights, -1)
    return found


def ranking_loss(predicted: Tensor, targets: Tensor) -> Tensor:
    """Of every two samples of a batch: the logistic loss of which is the better one."""
    margins, order = predicted[:, None] - predicted, (targets[:, None] - targets).sign()
    return (functional.softplus(-margins * order) * order.abs()).mean()


def networks(loss: Loss, n_members: int = 5) -> Method:
    """The mean of small networks on what the Gaussian process compares sequences by; each leaves out some samples."""

    def method(trial: Trial) -> Floats:
        samples, others = pack(trial.samples, trial.spec), pack(trial.others, trial.spec)
        families = features(samples, trial.spec, "both")
        known, unknown = (
            torch.from_numpy(np.concatenate([family(tokens) for family in families], axis=1)).float()
            for tokens in (samples, others)
        )
        targets = torch.from_numpy(Warp.of(trial.scores).apply(trial.scores)).float()
        torch.manual_seed(0)
        members = []
        for _ in range(n_members):
            kept = torch.randperm(len(targets))[len(targets) // 10 :]
            members.append(network(known[kept], targets[kept], loss))
        with torch.no_grad():
            mean: Floats = torch.stack([member(unknown) for member in members]).mean(0).double().numpy()
        return mean

    return method


def network(inputs: Tensor, targets: Tensor, loss: Loss, n_hidden: int = 64, n_epochs: int = 150) -> nn.Module:
    """A trained one."""
    layers = [nn.Linear(inputs.shape[1], n_hidden), nn.ReLU(), nn.Linear(n_hidden, n_hidden), nn.ReLU()]
    model = nn.Sequential(*layers, nn.Linear(n_hidden, 1), nn.Flatten(0))
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.003, weight_decay=1e-3)
    schedule = torch.optim.lr_scheduler.LinearLR(optimizer, 1.0, 0.0, n_epochs)
    for _ in range(n_epochs):
        for batch in torch.randperm(len(targets)).split(32):
            optimizer.zero_grad()
            loss(model(inputs[batch]), targets[batch]).backward()
            optimizer.step()
        schedule.step()
    return model


def blend(trial: Trial) -> Floats:
    """The mean of what two methods say, each in its own standard deviations."""
    predicted = [METHODS[name](trial) for name in (BASELINE, "mlp-ensemble")]
    mean: Floats = np.mean([(scores - scores.mean()) / (scores.std() + 1e-12) for scores in predicted], axis=0)
    return mean


METHODS: dict[str, Method] = {
    **{name: predictor(partial(make_predictor, name)) for name in (BASELINE, "mlp", "mlp-ensemble", "lstm-ensemble")},
    "random-forest": one_hot(lambda: RandomForestRegressor(200, random_state=0)),
    "gradient-boosting": one_hot(
        lambda: GradientBoostingRegressor(n_estimators=200, max_depth=4, subsample=0.7, random_state=0)
    ),
    "gp-one-hot": one_hot(gaussian_process_one_hot),
    "string": predictor(partial(GaussianProcess, kernel="string")),
    "groups": predictor(partial(GaussianProcess, kernel="groups")),
    "without-warp": without_warp,
    "without-orders": with_features(without_orders),
    "without-weights": with_features(without_weights),
    "network-l1": networks(functional.l1_loss),
    "network-ranking": networks(ranking_loss),
    "blend": blend,
}

Sources = Mapping[str, Callable[[int, int], Trial]]
"""By law or table: a trial of so many samples, drawn with a seed."""


def sources_of_laws() -> Sources:
    def trial(index: int, n_samples: int, seed: int) -> Trial:
        return laws(seed)[index].trial(n_samples, seed)

    return {law.name: partial(trial, index) for index, law in enumerate(laws(0))}


def sources_of_tables(paths: Iterable[str], kinds: str | None) -> Sources:
    sources = {}
    for path in paths:
        n_positions = len(read_lines(Path(path))[0].sequence)
        of_positions = repeated(kinds) if kinds else tuple(f"p{position}" for position in range(n_positions))
        name = f"{Path(path).stem} {kinds or ''}".strip()
        sources[name] = partial(trial_of_table, read_table(path, of_positions, None))
    return sources


def repeated(kinds: str) -> tuple[str, ...]:
    """`a,b*2` is a, b and b."""
    parts = (part.partition("*") for part in kinds.split(","))
    return tuple(kind for kind, _, times in parts for _ in range(int(times or 1)))


def trial_of_table(table: ScoredTable, n_samples: int, seed: int) -> Trial:
    order = np.random.default_rng([seed, 5]).permutation(len(table.sequences))
    drawn, left = order[:n_samples], order[n_samples:][:N_RANKED]
    samples, others = ([table.sequences[index] for index in indices] for indices in (drawn, left))
    return Trial(table.spec, samples, table.scores[drawn], others, table.scores[left])


def run(sources: Sources, samples: Sequence[int], seeds: int, methods: Sequence[str], path: Path) -> None:
    """All that the file lacks."""
    done = read(path)
    with path.open("a") as file:
        for seed, (name, source), n_samples in itertools.product(range(seeds), sources.items(), samples):
            missing = [method for method in methods if (name, n_samples, seed, method) not in done]
            if not missing:
                continue
            trial = source(n_samples, seed)
            for method in missing:
                start = time.perf_counter()
                predicted = METHODS[method](trial)
                seconds = round(time.perf_counter() - start, 3)
                result = {"name": name, "samples": n_samples, "seed": seed, "method": method}
                result |= {"spearman": spearman(trial.truths, predicted), "seconds": seconds}
                file.write(json.dumps(result) + "\n")
                file.flush()


def read(path: Path) -> dict[Key, float]:
    """Rank correlations."""
    rows = map(json.loads, path.read_text().splitlines() if path.exists() else [])
    return {(row["name"], row["samples"], row["seed"], row["method"]): row["spearman"] for row in rows}


def means(results: Mapping[Key, float]) -> str:
    """Over seeds."""
    methods = methods_of(results)
    found: dict[tuple[str, int], dict[str, list[float]]] = {}
    for (name, n_samples, _, method), value in results.items():
        found.setdefault((name, n_samples), {}).setdefault(method, []).append(value)
    rows = [
        [name, n_samples, *(f"{np.mean(of[method]):.3f}" if method in of else "" for method in methods)]
        for (name, n_samples), of in found.items()
    ]
    return table(["", "samples", *methods], rows)


def differences(results: Mapping[Key, float]) -> str:
    """To the baseline, by the number of samples; means are over the trials that both have."""
    rows = []
    for n_samples in dict.fromkeys(n for _, n, *_ in results):
        for method in methods_of(results):
            trials = [key for key in results if key[1] == n_samples and key[3] == method]
            pairs = [(results[key], results[*key[:3], BASELINE]) for key in trials if (*key[:3], BASELINE) in results]
            if not pairs:
                continue
            values, of_baseline = np.array(pairs).T
            interval = Interval.of(values - of_baseline)
            difference = "" if method == BASELINE else f"{interval.mean:+.3f} ± {interval.half_width:.3f}"
            rows.append([method, n_samples, f"{values.mean():.3f}", difference, len(pairs)])
    return table(["method", "samples", "Spearman", f"difference to {BASELINE}", "trials"], rows)


def methods_of(results: Mapping[Key, float]) -> list[str]:
    found = {method for *_, method in results}
    return [method for method in METHODS if method in found]


def table(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(map(str, line))} |" for line in lines) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sources", nargs="+", metavar="laws|TABLE.csv")
    parser.add_argument("--kinds")
    parser.add_argument("--samples", type=lambda text: [int(number) for number in text.split(",")], default=[100, 300])
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--methods", type=lambda text: text.split(","), default=list(METHODS), help=", ".join(METHODS))
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    if unknown := set(options.methods) - set(METHODS):
        parser.error(f"expected methods out of {', '.join(METHODS)}, not {', '.join(sorted(unknown))}")
    torch.set_num_threads(1)
    # A likelihood that is highest at the end of the range is an answer, too.
    warnings.filterwarnings("ignore", category=ConvergenceWarning)
    are_laws = options.sources == ["laws"]
    sources = sources_of_laws() if are_laws else sources_of_tables(options.sources, options.kinds)
    run(sources, options.samples, options.seeds, options.methods, options.out)
    # Methods are compared by the same trials.
    results = {
        (name, n_samples, seed, method): value
        for (name, n_samples, seed, method), value in read(options.out).items()
        if n_samples in options.samples and seed < options.seeds and method in {BASELINE, *options.methods}
    }
    sys.stdout.write(f"{means(results)}\n{differences(results)}")


if __name__ == "__main__":
    main()
