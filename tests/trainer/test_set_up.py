import os
import subprocess
import sys
import time
from threading import Thread

import pytest

from pnas_trainer._set_up import Stopwatch

FRESH = """
import time
import torch
from torch import nn
from pnas_trainer import TrainConfig, load_dataset, train
from pnas_trainer._set_up import set_up

torch.set_num_threads(1)
data, config = load_dataset("digits", validation_fraction=0.2), TrainConfig(n_epochs=1, batch_size=400)

def make():
    return nn.Sequential(nn.Conv2d(1, 8, 3), nn.BatchNorm2d(8), nn.ReLU(), nn.Flatten(), nn.Linear(288, 10))

start = time.perf_counter()
first = train(make, data, config, seed=0)
elapsed = time.perf_counter() - start
print(elapsed, set_up.seconds, first.seconds)
"""


def test_importing_and_compiling_what_trains_is_no_training(tmp_path):
    """In a process that compiles everything anew."""
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path)}
    output = subprocess.run([sys.executable, "-c", FRESH], env=environment, capture_output=True, text=True, check=True)
    elapsed, set_up, seconds = map(float, output.stdout.split())
    assert set_up > 0
    assert 0 < seconds <= elapsed - set_up


def test_what_overlaps_counts_once():
    watch = Stopwatch()
    start = time.perf_counter()
    with watch.running():
        threads = [Thread(target=lambda: nap(watch)) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert watch.seconds >= 0.05
    assert 0.05 <= watch.seconds <= time.perf_counter() - start


def test_a_failure_counts_up_to_where_it_happened():
    watch = Stopwatch()
    with pytest.raises(ZeroDivisionError), watch.running():
        1 / 0  # noqa: B018
    before = watch.seconds
    time.sleep(0.01)
    assert watch.seconds == before
    nap(watch)
    assert watch.seconds >= before + 0.05


def test_what_is_still_running_counts_up_to_now():
    """So that nothing that is timed beside it can come out negative."""
    watch = Stopwatch()
    watch.start()
    before = watch.seconds
    time.sleep(0.02)
    assert watch.seconds - before >= 0.02
    watch.stop()
    after = watch.seconds
    time.sleep(0.01)
    assert watch.seconds == after


def nap(watch: Stopwatch) -> None:
    with watch.running():
        time.sleep(0.05)
