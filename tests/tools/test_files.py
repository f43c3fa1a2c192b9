import json
from pathlib import Path

import pytest

from pnas_tools._files import read_object, write_atomically, write_json_atomically


def test_a_file_is_replaced_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "value.json"
    write_json_atomically(path, {"a": 1})
    with pytest.raises(TypeError):
        write_json_atomically(path, {"a": object()})
    assert json.loads(path.read_text()) == {"a": 1}
    write_json_atomically(path, {"a": 2})
    assert json.loads(path.read_text()) == {"a": 2}
    assert [entry.name for entry in tmp_path.iterdir()] == ["value.json"]


def test_what_cannot_be_written_is_told_by_its_own_name_and_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "report.html").mkdir()
    with pytest.raises(OSError, match=r"/report\.html'$"):
        write_atomically(tmp_path / "report.html", b"page")
    with pytest.raises(FileNotFoundError, match=r"missing/report\.html'$"):
        write_atomically(tmp_path / "missing" / "report.html", b"page")
    assert [entry.name for entry in tmp_path.iterdir()] == ["report.html"]


def test_an_object_is_read_and_what_is_none_is_a_value_error(tmp_path: Path) -> None:
    path = tmp_path / "value.json"
    assert read_object(path) is None
    assert read_object(path / "below") is None
    write_json_atomically(path, {"a": 1})
    assert read_object(path) == {"a": 1}
    assert read_object(path / "below") is None
    for text in ("[1]", "null", "{", ""):
        path.write_text(text)
        with pytest.raises(ValueError, match=r"no object of JSON|Expecting"):
            read_object(path)
    with pytest.raises(ValueError, match="Is a directory"):
        read_object(tmp_path)
