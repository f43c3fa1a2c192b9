"""The contracts on imports cover every package, and an import that they forbid is found."""

import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = sorted([ROOT / "tools", *(path for path in (ROOT / "packages").iterdir() if path.is_dir())])
CONFIG = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def lint(sources: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(Path(sys.executable).with_name("lint-imports")), "--no-cache", "--config", str(ROOT / "pyproject.toml")],
        env={**os.environ, "PYTHONPATH": str(sources)},
        cwd=sources,
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_contracts_cover_every_package() -> None:
    names = {f"pnas_{path.name}" for path in PACKAGES}
    config = CONFIG["tool"]["importlinter"]
    assert set(config["root_packages"]) == names
    layers = next(contract for contract in config["contracts"] if contract["type"] == "layers")
    assert {name.strip() for layer in layers["layers"] for name in layer.split("|")} == names
    acyclic = next(contract for contract in config["contracts"] if contract["type"] == "acyclic_siblings")
    assert set(acyclic["ancestors"]) == names


@pytest.mark.parametrize(
    ("module", "forbidden"),
    [
        ("pnas_searchspace/_cell.py", "import pnas_models"),
        ("pnas_surrogate/_spec.py", "import pnas_searchspace"),
        ("pnas_trainer/_train.py", "import pnas_search"),
        ("pnas_search/_search.py", "import pnas_trainer"),
        ("pnas_search/_search.py", "import torch"),
        ("pnas_models/_cifar.py", "import click"),
        ("pnas_searchspace/_block.py", "import pnas_searchspace._cell"),
    ],
)
def test_a_forbidden_import_is_found(module: str, forbidden: str, tmp_path: Path) -> None:
    for package in PACKAGES:
        shutil.copytree(package / "src", tmp_path, dirs_exist_ok=True)
    planted = tmp_path / module
    planted.write_text("\n".join([planted.read_text(encoding="utf-8"), forbidden, ""]), encoding="utf-8")
    done = lint(tmp_path)
    assert done.returncode == 1, done.stdout
    assert "BROKEN" in done.stdout


def test_the_sources_as_they_are_keep_the_contracts(tmp_path: Path) -> None:
    for package in PACKAGES:
        shutil.copytree(package / "src", tmp_path, dirs_exist_ok=True)
    done = lint(tmp_path)
    assert done.returncode == 0, done.stdout
