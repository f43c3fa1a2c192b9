from dataclasses import dataclass
from typing import Self

from pnas_search import Benchmark, load_benchmark

TRAIN = "train"
_PREFIX, _EXACT = "benchmark:", ":exact"


@dataclass(frozen=True, kw_only=True)
class BenchmarkName:
    """What `benchmark:NAME` or `benchmark:NAME:exact` names.

    Attributes:
        name: of the benchmark, or the path of its file.
        exact: whether cells that nobody has trained are refused.
    """

    name: str
    exact: bool

    @classmethod
    def of(cls, evaluator: str) -> Self | None:
        """The benchmark that an evaluator's name names; None where it is another evaluator."""
        if not evaluator.startswith(_PREFIX):
            return None
        name = evaluator.removeprefix(_PREFIX)
        return cls(name=name.removesuffix(_EXACT), exact=name.endswith(_EXACT))

    def load(self) -> Benchmark:
        """The benchmark, or `SearchError`."""
        return load_benchmark(self.name)
