import difflib
import hashlib
from functools import cache
from importlib.resources import files
from pathlib import Path

from pnas_search._benchmark._table import Benchmark
from pnas_search._errors import SearchError

_SHA256 = {
    "micro-digits": "a81f2ac085adc862e8a6388df9c7f1294286b09dfaefe362adc380dd35dd413c",
    "micro-cifar10": "ad2ae3277ce7d446e9250c09f40d20b5267458d7a5dd379470dc1d9875526768",
}

BENCHMARKS = tuple(_SHA256)
"""The benchmarks that come with this package."""


def load_benchmark(name: str | Path) -> Benchmark:
    """A benchmark that comes with this package, or one that `pnas-tools benchmark make` wrote.

    Args:
        name: one of `BENCHMARKS`, or the path of an `.npz` file.

    Raises:
        SearchError: there is none of this name, or its file is damaged or not the one that was shipped.
    """
    name = str(name)
    if name in _SHA256:
        return _shipped(name)
    if name.endswith(".npz"):
        try:
            return Benchmark.from_bytes(Path(name).read_bytes(), origin=name)
        except OSError as error:
            raise SearchError(f"the benchmark {name} cannot be read ({error.strerror}): is the path right?") from error
    close = difflib.get_close_matches(name, BENCHMARKS, n=1)
    hint = f"; did you mean {close[0]!r}?" if close else ""
    names = " or ".join([*BENCHMARKS, "the path of an .npz file"])
    raise SearchError(f"there is no benchmark {name!r}: expected {names}{hint}")


@cache
def _shipped(name: str) -> Benchmark:
    file = files("pnas_search") / "_benchmark" / "data" / f"{name}.npz"
    data = file.read_bytes()
    if hashlib.sha256(data).hexdigest() != _SHA256[name]:
        raise SearchError(f"{file} is not the file that was shipped: install pnas-search anew")
    return Benchmark.from_bytes(data, origin=str(file))
