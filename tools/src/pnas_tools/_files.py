import json
import os
from pathlib import Path
from typing import Any

LEDGER_FILE = "ledger.sqlite"
"""What a search remembers, in the folder of its run."""


def write_atomically(path: Path, content: bytes) -> None:
    """Write a file so that at any moment it is there as it was or as it shall be."""
    temporary = path.with_name(f".{path.name}.tmp")
    with temporary.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)


def write_text_atomically(path: Path, text: str) -> None:
    write_atomically(path, text.encode())


def write_json_atomically(path: Path, value: Any) -> None:
    write_text_atomically(path, json.dumps(value, indent=2) + "\n")
