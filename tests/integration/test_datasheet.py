"""The page about the benchmarks has the figures of the tables that ship."""

import itertools
from pathlib import Path
from types import ModuleType

import pytest

from pnas_search import BENCHMARKS, load_benchmark

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "micro-benchmark.md").read_text(encoding="utf-8")
PARTS = ("counts", "distribution", "seeds", "epochs", "sizes_of_networks", "interpolation")


@pytest.fixture
def datasheet(monkeypatch) -> ModuleType:
    monkeypatch.syspath_prepend(ROOT / "tests" / "benchmarks")
    import datasheet

    return datasheet


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("name", BENCHMARKS)
def test_a_benchmarks_figures_are_on_the_page(datasheet, name, part):
    assert getattr(datasheet, part)(load_benchmark(name)) in PAGE


@pytest.mark.parametrize(("first", "second"), list(itertools.combinations(BENCHMARKS, 2)))
def test_what_two_benchmarks_have_in_common_is_on_the_page(datasheet, first, second):
    assert datasheet.between(load_benchmark(first), load_benchmark(second)) in PAGE
