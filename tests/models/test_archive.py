import gzip
import io
import re
import tarfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from filelock import FileLock

from pnas_models import ModelError
from pnas_models._archive import extract

FILES = {"model.ckpt.index": b"index", "model.ckpt.data-00000-of-00001": bytes(range(256)) * 40}


def tar(members: list[tuple[str, bytes]], *more: tarfile.TarInfo, form: int = tarfile.GNU_FORMAT) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=form) as archive:
        for name, content in members:
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
        for info in more:
            archive.addfile(info)
    return buffer.getvalue()


def special(name: str, kind: bytes, target: str = "") -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, target
    return info


@pytest.fixture
def written(tmp_path: Path) -> Callable[[bytes], Path]:
    def write(content: bytes) -> Path:
        path = tmp_path / "weights.tar.gz"
        path.write_bytes(content)
        return path

    return write


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.mark.parametrize("form", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
@pytest.mark.parametrize("prefix", ["", "./", "pnasnet/large/", "x" * 120 + "/"])
def test_the_files_come_out_on_one_level(
    prefix: str, form: int, written: Callable[[bytes], Path], tmp_path: Path
) -> None:
    members = [(prefix + name, content) for name, content in FILES.items()]
    archive = written(gzip.compress(tar(members, special("empty", tarfile.DIRTYPE), form=form)))
    folder = tmp_path / "deep" / "weights"
    assert extract(archive, folder) == folder
    assert contents(folder) == FILES
    assert [path for path in folder.parent.iterdir() if path.suffix != ".lock"] == [folder]


def test_a_folder_with_files_is_left_as_it_is(tmp_path: Path) -> None:
    folder = tmp_path / "weights"
    folder.mkdir()
    (folder / "mine").write_bytes(b"1")
    assert extract(tmp_path / "there is none.tar.gz", folder) == folder
    assert contents(folder) == {"mine": b"1"}


def test_an_empty_folder_and_what_a_killed_process_left_are_replaced(
    written: Callable[[bytes], Path], tmp_path: Path
) -> None:
    folder = tmp_path / "weights"
    folder.mkdir()
    left = tmp_path / "weights.part"
    left.mkdir()
    (left / "half").write_bytes(b"1")
    assert contents(extract(written(gzip.compress(tar(list(FILES.items())))), folder)) == FILES
    assert not left.exists()


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (tar([("../out", b"1")]), "it holds the path '../out', which may lead elsewhere"),
        (tar([("a/../../out", b"1")]), "which may lead elsewhere"),
        (tar([("/etc/out", b"1")]), "which may lead elsewhere"),
        (tar([("..\\out", b"1")]), "which may lead elsewhere"),
        (tar([("new\nline", b"1")]), "which may lead elsewhere"),
        (tar([("x" * 256, b"1")]), "which may lead elsewhere"),
        (tar([], special("link", tarfile.SYMTYPE, "/etc/passwd")), "'link' in it is neither a plain file nor a folder"),
        (tar([], special("link", tarfile.LNKTYPE, "/etc/passwd")), "'link' in it is neither a plain file nor a folder"),
        (tar([], special("null", tarfile.CHRTYPE)), "'null' in it is neither a plain file nor a folder"),
        (tar([], special("pipe", tarfile.FIFOTYPE)), "'pipe' in it is neither a plain file nor a folder"),
        (tar([], special("holes", tarfile.GNUTYPE_SPARSE)), "'holes' in it is neither a plain file nor a folder"),
        (tar([("a/same", b"1"), ("b/same", b"2")]), "it holds two files named same"),
        (tar([], special("empty", tarfile.DIRTYPE)), "it holds no file"),
        (tar([]), "it holds no file"),
    ],
)
def test_what_no_archive_of_a_checkpoint_holds_is_refused(
    content: bytes, reason: str, written: Callable[[bytes], Path], tmp_path: Path
) -> None:
    archive = written(gzip.compress(content))
    with pytest.raises(ModelError, match=re.escape(f"{archive} is no archive of a checkpoint: ")) as caught:
        extract(archive, tmp_path / "weights")
    assert reason in str(caught.value)
    assert [path for path in tmp_path.iterdir() if path.suffix != ".lock"] == [archive]


def test_a_file_larger_than_the_disk_is_refused_before_it_is_written(
    written: Callable[[bytes], Path], tmp_path: Path
) -> None:
    huge = tarfile.TarInfo("zeros")
    huge.size = 1 << 60
    with pytest.raises(ModelError, match=r"needs 1152921504606846976 bytes, and \d+ are free; make room for it"):
        extract(written(gzip.compress(huge.tobuf())), tmp_path / "weights")


@pytest.mark.parametrize("kind", [tarfile.GNUTYPE_LONGNAME, tarfile.XHDTYPE, tarfile.DIRTYPE, b"Z"])
def test_a_size_that_the_archive_does_not_have_costs_no_memory(
    kind: bytes, written: Callable[[bytes], Path], tmp_path: Path
) -> None:
    header = special("x", kind)
    header.size = 1 << 62
    archive = written(gzip.compress(header.tobuf(tarfile.GNU_FORMAT) + bytes(1024)))
    with pytest.raises(ModelError, match=re.escape(str(archive))):
        extract(archive, tmp_path / "weights")


def test_a_number_that_is_none_is_refused(written: Callable[[bytes], Path], tmp_path: Path) -> None:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as archive:
        info = tarfile.TarInfo("a")
        info.pax_headers = {"GNU.sparse.map": "x,y", "GNU.sparse.size": "z"}
        archive.addfile(info)
    with pytest.raises(ModelError, match=r"is no \.tar\.gz, or a damaged one"):
        extract(written(gzip.compress(buffer.getvalue())), tmp_path / "weights")


def test_a_folder_that_another_process_filled_meanwhile_is_left_as_it_is(tmp_path: Path) -> None:
    folder = tmp_path / "weights"
    with ThreadPoolExecutor() as pool:
        with FileLock(f"{folder}.lock"):
            waiting = pool.submit(extract, tmp_path / "there is none.tar.gz", folder)
            time.sleep(0.05)
            folder.mkdir()
            (folder / "mine").write_bytes(b"1")
        assert waiting.result() == folder
    assert contents(folder) == {"mine": b"1"}


def outcome(archive: Path, folder: Path) -> dict[str, bytes] | None:
    """The files, or None where a sentence names the archive and nothing is left behind."""
    try:
        extract(archive, folder)
    except ModelError as error:
        return None if str(archive) in str(error) and not folder.exists() else {"left behind": b""}
    return contents(folder)


def test_an_archive_cut_off_or_changed_anywhere_gives_its_files_or_a_sentence(
    written: Callable[[bytes], Path], tmp_path: Path
) -> None:
    whole = gzip.compress(tar([("a", b"alpha"), ("b", b"beta")]), mtime=0)
    broken = [whole[:n] for n in range(len(whole))]
    broken += [whole[:i] + bytes([whole[i] ^ 0x85]) + whole[i + 1 :] for i in range(len(whole))]
    outcomes = [outcome(written(content), tmp_path / str(index)) for index, content in enumerate(broken)]
    fine = [files for files in outcomes if files is not None]
    assert all(files == {"a": b"alpha", "b": b"beta"} for files in fine)
    assert len(fine) <= 6  # gzip's notes of a time (4 bytes), an operating system and an effort


def test_a_malformed_tar_gives_files_or_a_sentence(written: Callable[[bytes], Path], tmp_path: Path) -> None:
    plain = tar([("folder/" * 20 + "a", b"alpha")], form=tarfile.PAX_FORMAT)
    for index in range(0, len(plain.rstrip(b"\0")), 7):
        broken = plain[:index] + bytes([plain[index] ^ 0x85]) + plain[index + 1 :]
        files = outcome(written(gzip.compress(broken)), tmp_path / str(index))
        assert files is None or set(files).isdisjoint({"left behind"})


def test_another_file_is_no_archive(written: Callable[[bytes], Path], tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"weights\.tar\.gz is no \.tar\.gz, or a damaged one"):
        extract(written(b"<html>404</html>"), tmp_path / "weights")
