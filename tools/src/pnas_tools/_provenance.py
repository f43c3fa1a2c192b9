import importlib.metadata
import platform
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console

_DISTRIBUTIONS = (
    "pnas-tools",
    "pnas-search",
    "pnas-searchspace",
    "pnas-surrogate",
    "pnas-models",
    "pnas-trainer",
    "numba",
    "numpy",
    "scikit-learn",
    "torch",
    "torchvision",
)


def provenance() -> dict[str, Any]:
    """What a result depends on besides config and seed: versions, machine, and git revision where there is one."""
    return {
        "python": platform.python_version(),
        "platform": platform.platform(),
        "git_revision": _git_revision(),
        "versions": {name: _version(name) for name in _DISTRIBUTIONS},
    }


def warn_of_other_versions(began_with: dict[str, Any], console: "Console") -> None:
    """Say so where a run goes on with other versions than those it began with."""
    here, there = provenance()["versions"], began_with["versions"]
    # An older version of ours may not have recorded all of them.
    changed = [
        f"{name} {version} is now {here.get(name)}" for name, version in there.items() if here.get(name) != version
    ]
    if changed:
        console.print(
            f"This run began with other versions ({', '.join(changed)}), so its result may differ from theirs.",
            highlight=False,
            markup=False,
            soft_wrap=True,
        )


def _version(distribution: str) -> str | None:
    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return None  # run from a source tree


def _git_revision() -> str | None:
    """The revision of the source tree that this file belongs to, `-dirty` if it was changed; None for a wheel."""
    here = Path(__file__).resolve().parent
    try:
        tracked = subprocess.run(
            ["git", "ls-files", "--error-unmatch", __file__], cwd=here, capture_output=True, check=False
        )
        if tracked.returncode != 0:
            return None
        describe = ["git", "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"]
        revision = subprocess.run(describe, cwd=here, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None  # git is not installed here
    return revision.stdout.strip()
