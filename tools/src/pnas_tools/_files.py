import json
import os
import secrets
from contextlib import suppress
from pathlib import Path
from typing import Any

LEDGER_FILE = "ledger.sqlite"
"""What a search remembers, in the folder of its run."""


def read_object(path: Path) -> dict[str, Any] | None:
    """The JSON object in a file; None where there is no file.

    Raises:
        ValueError: it holds no such object.
        OSError: it cannot be read.
    """
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        return None
    except IsADirectoryError as error:
        raise ValueError(error.strerror) from error
    if not isinstance(value, dict):
        raise ValueError("it is no object of JSON")
    return value


def write_atomically(path: Path, content: bytes) -> None:
    """Write a file so that at any moment it is there as it was or as it shall be, also where two write it.

    Raises:
        OSError: it cannot be written, by its own name.
    """
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")
    try:
        with temporary.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError as error:
        with suppress(OSError):  # there may be none
            temporary.unlink()
        raise OSError(error.errno, error.strerror, str(path)) from error


def write_text_atomically(path: Path, text: str) -> None:
    write_atomically(path, text.encode())


def write_json_atomically(path: Path, value: Any) -> None:
    write_text_atomically(path, json.dumps(value, indent=2) + "\n")
