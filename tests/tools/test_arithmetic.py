"""What makes processors round alike, in processes that start as a search's workers do."""

import json
import os
import platform
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from click.testing import CliRunner

from pnas_search import load_benchmark
from pnas_tools._arithmetic import can_be_portable, computed_with
from pnas_tools._cli import cli
from pnas_tools._provenance import provenance

WORKER = """
import hashlib, json, sys
import numba, numpy, threadpoolctl, torch
from pnas_search import Request
from pnas_searchspace import Cell
from pnas_tools._child import ChildTrainer
from pnas_tools._config import PRESETS, SearchConfig
from pathlib import Path
import dataclasses

cell = Cell([(-2, "sep_conv_3x3", -1, "dil_conv_3x3"), (-1, "conv_1x7_7x1", 0, "avg_pool_3x3")])
config = dataclasses.replace(PRESETS["quick"], n_epochs=1, n_filters=4, warm_start=True)
outcome = ChildTrainer(config=config, data=Path(sys.argv[1]))()(Request(cell=cell, seed=3, parent=None))
print(json.dumps({
    "torch": torch.backends.cpu.get_cpu_capability(),
    "numpy": sorted({i["architecture"] for i in threadpoolctl.threadpool_info() if i["internal_api"] == "openblas"}),
    "weights": hashlib.sha256(outcome.attachments["weights"]).hexdigest(),
    "accuracy": outcome.accuracy,
    "numba": numba.config.CPU_NAME,
}))
"""
HAS_AVX2 = can_be_portable() and torch.backends.cpu.get_cpu_capability() in ("AVX2", "AVX512")
needs_avx2 = pytest.mark.skipif(not HAS_AVX2, reason="needs an x86 processor with AVX2")


def test_the_environment_is_as_it_was_afterwards(monkeypatch):
    monkeypatch.setenv("OPENBLAS_CORETYPE", "Zen")
    monkeypatch.delenv("MKL_CBWR", raising=False)
    before = dict(os.environ)
    within: dict[str, str] = {}

    def fail() -> None:
        with computed_with("portable"):
            within.update(os.environ)
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert within["OPENBLAS_CORETYPE"] == ("Haswell" if can_be_portable() else "Zen")
    assert os.environ == before


def test_native_arithmetic_leaves_the_libraries_their_choice():
    before = dict(os.environ)
    with computed_with("native"):
        assert os.environ == before


@pytest.mark.parametrize(
    ("machine", "options", "named"), [("arm64", [], "arm64"), ("x86_64", ["--device", "cuda"], "cuda")]
)
def test_portable_arithmetic_is_refused_where_there_is_none(monkeypatch, tmp_path, machine, options, named):
    monkeypatch.setattr(platform, "machine", lambda: machine)
    out = tmp_path / "run"
    done = CliRunner().invoke(cli, ["search", "--arithmetic", "portable", *options, "--out", str(out)])
    assert done.exit_code == 2
    assert f"is for x86 processors, and children would be trained on {named}: leave it out" in done.output
    assert not out.exists()


@pytest.fixture(scope="module")
def images(tmp_path_factory) -> Path:
    from pnas_trainer import load_dataset

    path = tmp_path_factory.mktemp("data") / "images.npz"
    load_dataset("digits", validation_fraction=0.5).save(path)
    return path


def worker(images: Path, **environment: str) -> dict:
    with computed_with("portable"):
        done = subprocess.run(
            [sys.executable, "-c", WORKER, str(images)],
            env={**os.environ, **environment},
            capture_output=True,
            text=True,
            check=True,
        )
    return json.loads(done.stdout)


@needs_avx2
def test_a_child_is_the_same_to_the_bit_when_its_loops_are_compiled_for_an_older_processor(images, tmp_path):
    """Which is what differs between processors once the libraries do the same on all of them."""
    here = worker(images)
    older = {"NUMBA_CPU_NAME": "haswell", "NUMBA_CPU_FEATURES": "+avx,+avx2,+fma,+bmi,+bmi2,+sse4.2,+popcnt,+lzcnt"}
    there = worker(images, NUMBA_CACHE_DIR=str(tmp_path), **older)
    assert here["torch"] == "AVX2"
    assert here["numpy"] in (["Haswell"], [])  # none where NumPy's products are not OpenBLAS'
    assert there["numba"] == "haswell"
    assert {**here, "numba": None} == {**there, "numba": None}


@needs_avx2
def test_rows_of_a_benchmark_are_had_again_on_any_processor():
    made_with = load_benchmark("micro-digits").about["provenance"]["versions"]
    if any(provenance()["versions"][name] != made_with.get(name) for name in ("numba", "numpy", "torch")):
        pytest.skip("other versions than it was made with round otherwise")
    done = subprocess.run(
        [sys.executable, "-m", "pnas_tools", "benchmark", "check", "micro-digits", "--rows", "4"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "4 of 4 trainings gave the same accuracies" in done.stdout
