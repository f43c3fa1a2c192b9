"""Rules that every package keeps."""

import importlib
import inspect
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = sorted([ROOT / "tools", *(path for path in (ROOT / "packages").iterdir() if path.is_dir())])
each_package = pytest.mark.parametrize("package", PACKAGES, ids=lambda path: path.name)


def project(package: Path) -> dict[str, Any]:
    table: dict[str, Any] = tomllib.loads((package / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return table


def sources(package: Path) -> Path:
    return package / "src" / f"pnas_{package.name}"


@each_package
def test_a_package_has_what_a_release_needs(package: Path) -> None:
    assert project(package)["name"] == f"pnas-{package.name}"
    assert project(package)["requires-python"] == ">=3.11"
    for file in (package / "README.md", package / "CHANGELOG.md", sources(package) / "py.typed"):
        assert file.is_file()
    version = importlib.import_module(f"pnas_{package.name}").__version__
    assert f"## {version}" in (package / "CHANGELOG.md").read_text(encoding="utf-8")


@each_package
def test_dependencies_are_ranged_and_never_pinned(package: Path) -> None:
    for dependency in project(package)["dependencies"]:
        assert re.search(r">=\d", dependency), dependency
        assert "==" not in dependency
        if dependency.startswith("pnas-"):
            assert re.search(r",<\d", dependency), dependency


@each_package
def test_public_names_are_sorted_documented_and_in_the_readme(package: Path) -> None:
    module = importlib.import_module(f"pnas_{package.name}")
    names = module.__all__
    assert names == sorted(names, key=lambda name: (not name.isupper(), name[0].islower(), name))
    readme = (package / "README.md").read_text(encoding="utf-8")
    text = "\n".join(path.read_text(encoding="utf-8") for path in sources(package).rglob("*.py"))
    for name in names:
        assert f"`{name}`" in readme, f"{package.name}/README.md does not name {name}"
        member = getattr(module, name)
        if inspect.isclass(member) or inspect.isfunction(member):
            assert inspect.getdoc(member), name
        else:  # a constant or a type alias: a string stands below its assignment
            assert re.search(rf'^{name}\b[^"]*?=(?s:.*?)^"""', text, re.MULTILINE), name


@each_package
def test_public_methods_are_documented(package: Path) -> None:
    module = importlib.import_module(f"pnas_{package.name}")
    for name in module.__all__:
        member = getattr(module, name)
        if not inspect.isclass(member):
            continue
        for method_name, method in vars(member).items():
            if inspect.isfunction(method) and not method_name.startswith("_") and method.__module__.startswith("pnas_"):
                assert inspect.getdoc(getattr(member, method_name)), f"{name}.{method_name}"


@each_package
def test_tests_mirror_the_modules(package: Path) -> None:
    modules = {path.stem.strip("_") for path in sources(package).rglob("*.py")}
    for test in (ROOT / "tests" / package.name).rglob("test_*.py"):
        assert test.stem.removeprefix("test_") in modules, f"{test.name} tests no module of {package.name}"


def test_modules_stay_small() -> None:
    for package in PACKAGES:
        for path in sources(package).rglob("*.py"):
            assert len(path.read_text(encoding="utf-8").splitlines()) <= 400, path
