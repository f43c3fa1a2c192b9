import pytest

from pnas_tools._evaluator_name import TRAIN, BenchmarkName


@pytest.mark.parametrize(
    ("text", "name", "exact"),
    [
        ("benchmark:micro-digits", "micro-digits", False),
        ("benchmark:micro-digits:exact", "micro-digits", True),
        ("benchmark:C:/my tables/a.npz:exact", "C:/my tables/a.npz", True),
    ],
)
def test_a_benchmark_is_named_with_or_without_exact(text, name, exact):
    assert BenchmarkName.of(text) == BenchmarkName(name=name, exact=exact)


@pytest.mark.parametrize("text", [TRAIN, "", "micro-digits"])
def test_other_evaluators_are_no_benchmarks(text):
    assert BenchmarkName.of(text) is None


def test_what_is_meant_may_be_said_by_a_digest():
    text = "benchmark:tables/a.npz:exact@0123456789ab"
    name = BenchmarkName.of(text)
    assert name == BenchmarkName(name="tables/a.npz", exact=True, digest="0123456789ab")
    assert str(name) == text
    assert BenchmarkName.of("benchmark:you@host").name == "you@host"
