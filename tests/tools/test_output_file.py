import os
from pathlib import Path

import click
import pytest

from pnas_tools._output_file import OutputFile


@pytest.fixture
def file() -> OutputFile:
    return OutputFile(".svg", ".png")


@pytest.mark.parametrize("name", ["cell.svg", "cell.png", "CELL.PNG", "a.b.svg"])
def test_files_of_known_endings_may_be_written(name: str, file: OutputFile, tmp_path: Path) -> None:
    assert file.convert(str(tmp_path / name), None, None) == tmp_path / name
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("cell.pdf", "ends in .svg or .png, not"),
        ("", "ends in .svg or .png, not '.'"),
        ("folder.svg", "folder.svg is a folder"),
        ("missing/cell.svg", "there is no folder"),
        ("file.svg/cell.svg", "there is no folder"),
    ],
)
def test_others_are_refused(name: str, words: str, file: OutputFile, tmp_path: Path) -> None:
    (tmp_path / "folder.svg").mkdir()
    (tmp_path / "file.svg").touch()
    with pytest.raises(click.BadParameter, match=words):
        file.convert(str(tmp_path / name) if name else "", None, None)


def test_a_folder_that_cannot_be_written_to_is_told(
    file: OutputFile, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "access", lambda *_: False)  # root may write everywhere
    with pytest.raises(click.BadParameter, match="cannot be written to"):
        file.convert(str(tmp_path / "cell.svg"), None, None)
