import os
from pathlib import Path
from typing import Any

import click

FOLDER_TO_COME = "pnas_tools.folder_to_come"
"""In the `meta` of a context, the folder that there will be when the command runs."""


class OutputFile(click.Path):
    """A file to write, one of some endings, in a folder that can be written to: as a `Path`.

    Args:
        endings: of names that there may be, with their dots.
    """

    name = "file"

    def __init__(self, *endings: str) -> None:
        super().__init__(path_type=Path)
        self._endings = endings

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Path:
        path = Path(os.fsdecode(super().convert(value, param, ctx)))
        if path.suffix.lower() not in self._endings:
            self.fail(f"expected a name that ends in {' or '.join(self._endings)}, not {str(path)!r}", param, ctx)
        if path.is_dir():
            self.fail(f"{path} is a folder, and a file is to be written: name one in it", param, ctx)
        to_come = None if ctx is None else ctx.meta.get(FOLDER_TO_COME)
        if to_come is not None and path.absolute().is_relative_to(to_come):
            return path
        if not path.parent.is_dir():
            self.fail(f"there is no folder {path.parent} to write {path.name} in: make it, or name another", param, ctx)
        if not os.access(path.parent, os.W_OK | os.X_OK):
            self.fail(f"{path.parent} cannot be written to: name a file in another folder", param, ctx)
        return path
