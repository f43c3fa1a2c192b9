import subprocess
import sys
from pathlib import Path

import pytest

from pnas_tools._errors import BadInput
from pnas_tools._work_folder import check_same_config, is_locked, locked

LOOK = "from pathlib import Path; from pnas_tools._work_folder import is_locked\n"


def test_a_folder_is_made_and_is_one_processs_at_a_time(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "folder"
    with locked(folder, "taken"):
        look = f"{LOOK}print(is_locked(Path({str(folder)!r})))"
        assert subprocess.check_output([sys.executable, "-c", look], text=True) == "True\n"
        with pytest.raises(BadInput, match="taken"), locked(folder, "taken"):
            raise AssertionError("two at once")
    assert is_locked(folder) is False


def test_looking_leaves_nothing_behind(tmp_path: Path) -> None:
    assert is_locked(tmp_path) is False
    assert is_locked(tmp_path / "missing") is False
    assert list(tmp_path.iterdir()) == []


def test_a_look_holds_up_nobody(tmp_path: Path) -> None:
    (tmp_path / ".lock").touch()
    look = f"{LOOK}print('looking', flush=True)\nwhile True: is_locked(Path({str(tmp_path)!r}))"
    with subprocess.Popen([sys.executable, "-c", look], stdout=subprocess.PIPE, text=True) as looking:
        assert looking.stdout is not None
        assert looking.stdout.readline() == "looking\n"
        for _ in range(20):
            with locked(tmp_path, "taken"):
                pass
        looking.kill()


def test_of_a_lock_that_cannot_be_opened_it_cannot_be_known(tmp_path: Path) -> None:
    (tmp_path / ".lock").mkdir()
    assert is_locked(tmp_path) is None
    with pytest.raises(BadInput, match="cannot be written to"), locked(tmp_path, "taken"):
        raise AssertionError("locked with no lock")


def test_the_first_difference_is_named_by_its_option() -> None:
    check_same_config(Path("a"), "run", {"x": [1, 2], "y": None}, {"x": (1, 2)}, {})
    with pytest.raises(BadInput, match="a holds a run of another config, x is 1 there and 2 here"):
        check_same_config(Path("a"), "run", {"x": 1, "y": 3}, {"x": 2, "y": 4}, {"y": "--why"})
    with pytest.raises(BadInput, match="another config, --why is 3 there and 4 here"):
        check_same_config(Path("a"), "run", {"x": 1, "y": 3}, {"x": 1, "y": 4}, {"y": "--why"})
