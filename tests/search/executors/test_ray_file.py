import errno
import hashlib
import os
import pickle
import tempfile
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from pnas_search import RayExecutor, RayFile, SearchError
from pnas_search._executors import _ray_file

ray = pytest.importorskip("ray")


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "images.npz"
    path.write_bytes(os.urandom(300_000))
    return path


def test_where_it_is_made_it_is_the_path(file):
    assert os.fspath(RayFile(file)) == str(file)
    assert Path(RayFile(str(file))).read_bytes() == file.read_bytes()


def test_workers_have_the_content_on_every_node(file, workers, cluster, children, tmp_path):
    with RayExecutor(workers.Reading(RayFile(file)), cpus_per_child=0.6) as executor:
        assert executor.n_workers == 2  # one on each node
        reports = executor.evaluate(children(["wait"], ["wait"]))
        next(reports), next(reports)
        (tmp_path / "go").touch()
        outcomes = [outcome for _, outcome in reports]
    assert {outcome.attachments["content"] for outcome in outcomes} == {file.read_bytes()}
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    copy = Path(os.environ["TMPDIR"], f"pnas-search-{os.getuid()}", f"{digest}.npz")
    assert {outcome.attachments["path"] for outcome in outcomes} == {str(file), str(copy)}


@pytest.fixture
def on_other_node(file, tmp_path, monkeypatch):
    """The file as a worker of another node has it, and how often it has asked for the content."""
    content, asked = np.fromfile(file, dtype=np.uint8), []
    context = SimpleNamespace(get_node_id=lambda: "other")
    there = SimpleNamespace(get=lambda ref: asked.append(ref) or ref, get_runtime_context=lambda: context)
    monkeypatch.setattr(_ray_file, "import_ray", lambda: there)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return _ray_file._NodeFile(file, "mine", content, f"{hashlib.sha256(content).hexdigest()}.npz"), asked


def test_a_node_gets_the_content_once_and_keeps_it_to_this_user(on_other_node, file, tmp_path):
    other, asked = on_other_node
    for _ in range(2):
        copy = Path(other)
        assert copy.read_bytes() == file.read_bytes()
    assert len(asked) == 1
    assert copy.suffix == ".npz"
    assert copy.parent.parent == tmp_path
    assert copy.parent.stat().st_mode & 0o777 == 0o700
    assert sorted(copy.parent.iterdir()) == [copy, Path(f"{copy}.lock")]


def test_a_copy_that_is_damaged_is_written_anew(on_other_node, file):
    other, asked = on_other_node
    for damaged in (b"", file.read_bytes()[:-1], file.read_bytes() + b"more"):
        Path(other).write_bytes(damaged)
        assert Path(other).read_bytes() == file.read_bytes()
    assert len(asked) == 4


def test_a_copy_that_cannot_be_written_leaves_nothing_behind(on_other_node, tmp_path, monkeypatch):
    other, _ = on_other_node

    def full(path, target):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(OSError, match="No space left"):
        os.fspath(other)
    [folder] = [path for path in tmp_path.iterdir() if path.is_dir()]
    assert [path.suffix for path in folder.iterdir()] == [".lock"]


def test_it_sets_out_with_an_executor_only(file, monkeypatch):
    monkeypatch.setattr(ray, "is_initialized", lambda: False)
    with pytest.raises(SearchError, match=r"images\.npz can be sent to the workers of a RayExecutor only"):
        pickle.dumps(RayFile(file))
