from pathlib import Path

import pytest


@pytest.fixture
def importable(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Lets spawned processes import the test's module by its name, from the folder in which the name begins."""
    module = request.module
    monkeypatch.syspath_prepend(Path(module.__file__).parents[module.__name__.count(".")])
