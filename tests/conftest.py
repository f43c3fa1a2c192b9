from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture
def importable(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Lets spawned processes import the test's module by its name, from the folder in which the name begins."""
    module = request.module
    monkeypatch.syspath_prepend(Path(module.__file__).parents[module.__name__.count(".")])


@pytest.fixture(scope="session", autouse=True)
def home_for_downloads(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Nothing is kept in the user's cache folder."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PNAS_HOME", str(tmp_path_factory.mktemp("pnas_home")))
        yield
