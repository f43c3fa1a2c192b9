"""Build every package's wheel, install each alone in a clean environment, import it, and run its own tests there.

One environment for all packages hides what a package forgot to declare; this finds it.
"""

import argparse
import os
import re
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TEST_TOOLS = ("hypothesis", "pytest")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--uv", required=True, help="the uv executable")
    parser.add_argument("packages", nargs="+", help="folders of packages")
    arguments = parser.parse_args()
    build = ROOT / "build"
    build.mkdir(exist_ok=True)
    # Beside the checkout's other environments, so that uv can link files instead of copying gigabytes.
    with tempfile.TemporaryDirectory(prefix="check-wheels-", dir=build) as scratch:
        wheels = Path(scratch) / "wheels"
        for package in arguments.packages:
            run(arguments.uv, "build", "--quiet", "--wheel", "--out-dir", str(wheels), package)
        for package in arguments.packages:
            check(arguments.uv, Path(package), wheels, Path(scratch) / "environment")
    print(f"{len(arguments.packages)} wheels install, import and pass their tests alone")


def check(uv: str, package: Path, wheels: Path, environment: Path) -> None:
    name = f"pnas_{package.name}"
    (wheel,) = wheels.glob(f"{name}-*.whl")
    if f"{name}/py.typed" not in zipfile.ZipFile(wheel).namelist():
        sys.exit(f"{wheel.name} lacks py.typed")
    run(uv, "venv", "--quiet", "--clear", "--python", sys.executable, str(environment))
    python = str(environment / ("Scripts/python.exe" if os.name == "nt" else "bin/python"))
    # Its siblings as they are here, and not as the registry may have them.
    siblings = re.findall(
        r'"pnas-(\w+)(?:\[[\w,]+\])?>', (ROOT / package / "pyproject.toml").read_text(encoding="utf-8")
    )
    needed = [str(next(wheels.glob(f"pnas_{sibling}-*.whl"))) for sibling in siblings]
    run(uv, "pip", "install", "--quiet", "--python", python, str(wheel), *needed)
    # Before extras and test tools come in, which might bring along what the package itself forgot.
    run(python, "-c", f"import {name}")
    extras = zipfile.Path(wheel).joinpath(f"{wheel.name.split('-py3')[0]}.dist-info", "METADATA").read_text("utf-8")
    names = ",".join(re.findall(r"^Provides-Extra: (.+)$", extras, re.MULTILINE))
    run(uv, "pip", "install", "--quiet", "--python", python, f"{wheel}[{names}]", *TEST_TOOLS)
    print(f"== {wheel.name}", flush=True)
    run(python, "-m", "pytest", "--quiet", "-p", "no:cacheprovider", f"tests/{package.name}")


def run(*command: str) -> None:
    done = subprocess.run(command, cwd=ROOT, check=False)
    if done.returncode != 0:
        sys.exit(f"check-wheels: this failed with {done.returncode}: {' '.join(command)}")


if __name__ == "__main__":
    main()
