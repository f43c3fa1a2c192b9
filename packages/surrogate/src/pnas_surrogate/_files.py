import json
import os
from pathlib import Path
from typing import Any

from numpy.typing import NDArray
from safetensors import safe_open
from safetensors.numpy import save

from pnas_surrogate._errors import SurrogateError

_FORMAT = "pnas-surrogate-1"


def write(path: Path, description: Any, arrays: dict[str, NDArray[Any]]) -> None:
    """One safetensors file with a description, which is JSON, as its metadata; one that is there is replaced whole."""
    # One entry alone: safetensors writes several in a random order, and equal predictors shall make equal files.
    content = save({name: array.copy(order="C") for name, array in arrays.items()}, {_FORMAT: json.dumps(description)})
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        part.write_bytes(content)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def read(path: Path) -> tuple[Any, dict[str, NDArray[Any]]]:
    """The description and the arrays that `write` has written; what a damaged file raises is anything."""
    with safe_open(path, framework="numpy") as file:
        metadata = file.metadata() or {}
        if _FORMAT not in metadata:
            raise SurrogateError(f"its metadata must have the entry {_FORMAT!r}, and have {sorted(metadata)}")
        return json.loads(metadata[_FORMAT]), {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
