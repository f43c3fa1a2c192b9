"""A suite's search in a process of its own, where texts have other hashes."""

import inspect
import json
import os
import subprocess
import sys
import unittest
from functools import reduce
from importlib.util import module_from_spec, spec_from_file_location
from typing import Any

from pnas_search._testing._strategy_laws import StrategyLaws, written

_HASH_SEEDS = "1", "2"


def searched_elsewhere(suite: type[StrategyLaws]) -> list[Any]:
    """The rounds that the strategy of a suite asks for in the first of its spaces, as JSON has them."""
    if "<locals>" in suite.__qualname__:
        raise unittest.SkipTest(f"{suite.__qualname__} cannot be imported by another process")
    hash_seed = next(seed for seed in _HASH_SEEDS if seed != os.environ.get("PYTHONHASHSEED"))
    done = subprocess.run(
        [sys.executable, "-m", __name__, inspect.getfile(suite), suite.__qualname__],
        env={**os.environ, "PYTHONHASHSEED": hash_seed, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"the search fails in another process: {done.stderr}"
    rounds: list[Any] = json.loads(done.stdout)
    return rounds


def _search(file: str, qualified_name: str) -> None:
    spec = spec_from_file_location("suite", file)
    assert spec is not None  # of a file that another process has imported
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    suite: Any = reduce(getattr, qualified_name.split("."), module)
    laws = suite()
    sys.stdout.write(json.dumps([written(candidates) for candidates, _ in laws.search(laws.spaces[0])]))


if __name__ == "__main__":
    _search(*sys.argv[1:])
