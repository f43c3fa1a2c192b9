import re
from dataclasses import dataclass
from typing import Self

from pnas_search import Benchmark, SearchError, load_benchmark

TRAIN = "train"
_PREFIX, _EXACT = "benchmark:", ":exact"
_DIGEST = re.compile(r"@([0-9a-f]{12})$")


@dataclass(frozen=True, kw_only=True)
class BenchmarkName:
    """What `benchmark:NAME` or `benchmark:NAME:exact` names, and of which content once that was looked at.

    Attributes:
        name: of the benchmark, or the path of its file.
        exact: whether cells that nobody has trained are refused.
        digest: of the benchmark that is meant, `Benchmark.digest`; None for whatever has the name now.
    """

    name: str
    exact: bool
    digest: str | None = None

    @classmethod
    def of(cls, evaluator: str) -> Self | None:
        """The benchmark that an evaluator's name names; None where it is another evaluator."""
        if not evaluator.startswith(_PREFIX):
            return None
        name = evaluator.removeprefix(_PREFIX)
        digest = _DIGEST.search(name)
        if digest is not None:
            name = name[: digest.start()]
        return cls(
            name=name.removesuffix(_EXACT),
            exact=name.endswith(_EXACT),
            digest=digest[1] if digest is not None else None,
        )

    def __str__(self) -> str:
        """The evaluator's name."""
        return f"{_PREFIX}{self.name}{_EXACT if self.exact else ''}{f'@{self.digest}' if self.digest else ''}"

    def load(self) -> Benchmark:
        """The benchmark.

        Raises:
            SearchError: there is none of the name, or it is not the one that is meant.
        """
        benchmark = load_benchmark(self.name)
        if self.digest not in (None, benchmark.digest):
            raise SearchError(
                f"the benchmark {self.name} is another one by now: expected {self.digest}, got {benchmark.digest}; "
                "put the one that was meant back, or leave out the digits after @"
            )
        return benchmark
