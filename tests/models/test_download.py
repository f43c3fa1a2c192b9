import hashlib
import itertools
import logging
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Event, Thread
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit

import pytest

import pnas_models
from pnas_models import ModelError, _transfer
from pnas_models._download import cache_folder, download

CONTENT = bytes(itertools.islice(itertools.cycle(range(251)), 1_000_003))
OTHER = CONTENT[::-1]
DIGEST = hashlib.sha256(CONTENT).hexdigest()
PIECE = 1 << 16


@dataclass
class Source:
    """A file on the server, and what goes wrong when it is asked for; `ranges` are the requests so far."""

    content: bytes = CONTENT
    version: tuple[str, str] = ("ETag", '"one"')
    status: int = 200
    knows_ranges: bool = True
    knows_versions: bool = True
    says_length: bool = True
    cuts: Iterator[int] = field(default_factory=lambda: iter(()))
    pause: tuple[int, Event] | None = None
    wrong_range: str = ""
    ranges: list[str | None] = field(default_factory=list)


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        source: Source = self.server.sources[self.path]  # type: ignore[attr-defined]
        wanted = self.headers.get("Range")
        source.ranges.append(wanted)
        if source.status != 200:
            self.send_error(source.status)
            return
        start = 0
        is_current = not source.knows_versions or self.headers.get("If-Range") == source.version[1]
        if wanted and source.knows_ranges and is_current:
            start = int(wanted.removeprefix("bytes=").removesuffix("-"))
        self.send_headers(source, start)
        if start < len(source.content):
            self.send_body(source, start)

    def send_headers(self, source: Source, start: int) -> None:
        size = len(source.content)
        if start >= size > 0:
            self.send_response(416)
            self.send_header("Content-Range", f"bytes */{size}")
        elif start > 0:
            self.send_response(206)
            self.send_header("Content-Range", source.wrong_range or f"bytes {start}-{size - 1}/{size}")
        else:
            self.send_response(200)
        if source.version[0]:
            self.send_header(*source.version)
        if source.says_length:
            self.send_header("Content-Length", str(max(size - start, 0)))
        self.end_headers()

    def send_body(self, source: Source, start: int) -> None:
        end = min(next(source.cuts, len(source.content)), len(source.content))
        for position in range(start, end, PIECE):
            self.wfile.write(source.content[position : min(position + PIECE, end)])
            if source.pause is not None and position >= source.pause[0]:
                source.pause[1].wait(30)

    def log_message(self, *arguments: Any) -> None:
        """The tests' output is not the place."""


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, port: int = 0) -> None:
        super().__init__(("127.0.0.1", port), Handler)
        self.sources: dict[str, Source] = {}

    def add(self, **settings: Any) -> tuple[str, Source]:
        path = f"/{len(self.sources)}/net.pth"
        self.sources[path] = Source(**settings)
        return f"http://127.0.0.1:{self.server_port}{path}", self.sources[path]

    def handle_error(self, *arguments: Any) -> None:
        """A client that has gone away is part of the tests."""


@contextmanager
def serving(server: Server) -> Iterator[Server]:
    with server:
        thread = Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with serving(Server()) as server:
        yield server


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.setenv(name, "*")
    monkeypatch.setattr(_transfer, "_PAUSES", (0.0, 0.0, 0.0))


@pytest.fixture
def fetch(tmp_path: Path) -> Callable[..., Path]:
    def fetch(*urls: str, **settings: Any) -> Path:
        return download(urls, "net.pth", **{"sha256": DIGEST, "folder": tmp_path, "progress": False, **settings})

    return fetch


@pytest.fixture
def closed_url() -> str:
    """Where nobody answers."""
    with Server() as server:
        return server.add()[0]


def refused(message: str) -> Any:
    return pytest.raises(ModelError, match=re.escape(message))


def names(folder: Path) -> list[str]:
    """What is there; some versions of filelock leave their file."""
    return sorted(path.name for path in folder.iterdir() if path.suffix != ".lock")


def starts(source: Source) -> list[int]:
    """The bytes from which the file was asked for."""
    return [int(wanted[6:-1]) if wanted else 0 for wanted in source.ranges]


def downloading(url: str, folder: Path) -> subprocess.Popen[str]:
    """A process that downloads; its package is a bare one, so that it need not wait for PyTorch."""
    program = f"""
import sys, types
sys.modules["pnas_models"] = package = types.ModuleType("pnas_models")
package.__path__ = {list(pnas_models.__path__)!r}
from pathlib import Path
from pnas_models._download import download
print("started", flush=True)
print(download([{url!r}], "net.pth", sha256={DIGEST!r}, folder=Path({str(folder)!r}), progress=False))
"""
    return subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)


def test_a_file_is_fetched_once(server: Server, fetch: Callable[..., Path], tmp_path: Path) -> None:
    url, source = server.add()
    path = fetch(url, n_bytes=len(CONTENT), folder=tmp_path / "a" / "b")
    assert path == tmp_path / "a" / "b" / "net.pth"
    assert path.read_bytes() == CONTENT
    assert names(path.parent) == ["net.pth"]
    assert fetch(url, folder=tmp_path / "a" / "b") == path
    assert starts(source) == [0]


def test_an_empty_file_is_a_file(server: Server, fetch: Callable[..., Path]) -> None:
    url, _ = server.add(content=b"")
    assert fetch(url, sha256=hashlib.sha256(b"").hexdigest(), n_bytes=0).read_bytes() == b""


def test_a_file_on_a_shared_disk_is_copied(fetch: Callable[..., Path], tmp_path: Path) -> None:
    shared = tmp_path / "shared disk" / "net.pth"
    shared.parent.mkdir()
    shared.write_bytes(CONTENT)
    path = fetch(shared.as_uri(), n_bytes=len(CONTENT), folder=tmp_path / "own")
    assert path.read_bytes() == CONTENT
    with refused("No such file or directory"):
        fetch((shared.parent / "other.pth").as_uri())


@pytest.mark.parametrize("digest", [DIGEST[:8], DIGEST[:8].upper(), DIGEST[:63], DIGEST.upper()])
def test_the_first_digits_of_a_digest_are_enough(digest: str, server: Server, fetch: Callable[..., Path]) -> None:
    url, _ = server.add()
    assert fetch(url, sha256=digest) == fetch(url, sha256=digest)


def test_the_folder_follows_the_environment(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "me"))
    monkeypatch.delenv("PNAS_HOME", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", "")
    assert cache_folder() == tmp_path / "me" / ".cache" / "pnas" / "checkpoints"
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    assert cache_folder() == tmp_path / "cache" / "pnas" / "checkpoints"
    monkeypatch.setenv("PNAS_HOME", "~/pnas")
    assert cache_folder() == tmp_path / "me" / "pnas" / "checkpoints"
    path = download([server.add()[0]], "net.pth", sha256=DIGEST, progress=False)
    assert path == tmp_path / "me" / "pnas" / "checkpoints" / "net.pth"


@pytest.mark.parametrize("progress", [True, False])
def test_progress_is_shown_on_standard_error_or_not_at_all(
    progress: bool, server: Server, fetch: Callable[..., Path], capsys: pytest.CaptureFixture[str]
) -> None:
    fetch(server.add()[0], progress=progress)
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.startswith("\rnet.pth") if progress else shown.err == ""


# Interruptions


@pytest.mark.parametrize("version", [("ETag", '"one"'), ("Last-Modified", "Sun, 03 Dec 2017 10:00:00 GMT")])
def test_a_broken_connection_is_resumed(
    version: tuple[str, str], server: Server, fetch: Callable[..., Path], tmp_path: Path
) -> None:
    url, source = server.add(version=version, cuts=iter([300_000, 700_000]))
    assert fetch(url, n_bytes=len(CONTENT)).read_bytes() == CONTENT
    assert starts(source) == sorted(starts(source))
    assert len(set(starts(source))) == 3
    assert names(tmp_path) == ["net.pth"]


def test_a_server_that_has_sent_a_part_can_be_expected_back(
    fetch: Callable[..., Path], closed_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "net.pth.part").write_bytes(CONTENT[:5])
    (tmp_path / "net.pth.part.origin").write_text(f'{closed_url}\n"one"\n')
    sources = []
    with ExitStack() as stack:

        def come_back(seconds: float) -> None:
            back = stack.enter_context(serving(Server(urlsplit(closed_url).port or 0)))
            sources.append(back.add()[1])

        monkeypatch.setattr(_transfer, "time", SimpleNamespace(sleep=come_back))
        assert fetch(closed_url).read_bytes() == CONTENT
    assert [starts(source) for source in sources] == [[5]]


def test_what_a_failed_download_left_is_gone_on_with_at_the_next_call(
    server: Server, fetch: Callable[..., Path], tmp_path: Path
) -> None:
    url, source = server.add(cuts=itertools.repeat(PIECE * 3))
    with refused(f"net.pth could not be downloaded ({url}: the connection ended"):
        fetch(url)
    assert starts(source) == [0, PIECE * 3, PIECE * 3, PIECE * 3]
    source.cuts = iter(())
    assert fetch(url).read_bytes() == CONTENT
    assert starts(source)[-1] == PIECE * 3


def test_a_download_whose_process_was_killed_is_resumed(
    server: Server, fetch: Callable[..., Path], tmp_path: Path
) -> None:
    released = Event()
    url, source = server.add(pause=(PIECE * 12, released))
    part = tmp_path / "net.pth.part"
    process = downloading(url, tmp_path)
    while not part.exists() or part.stat().st_size < PIECE * 8:
        assert process.poll() is None
        time.sleep(0.005)
    process.kill()
    process.communicate()
    n_here = part.stat().st_size
    released.set()
    assert fetch(url).read_bytes() == CONTENT
    assert starts(source) == [0, n_here]


def test_two_processes_that_want_the_same_file_fetch_it_once(server: Server, tmp_path: Path) -> None:
    released = Event()
    url, source = server.add(pause=(PIECE * 8, released))
    processes = [downloading(url, tmp_path) for _ in range(2)]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "started\n"
    time.sleep(0.05)
    released.set()
    for process in processes:
        assert process.communicate(timeout=30)[0] == f"{tmp_path / 'net.pth'}\n"
    assert (tmp_path / "net.pth").read_bytes() == CONTENT
    assert starts(source) == [0]
    assert names(tmp_path) == ["net.pth"]


def test_threads_that_want_the_same_file_fetch_it_once(server: Server, fetch: Callable[..., Path]) -> None:
    url, source = server.add()
    with ThreadPoolExecutor(4) as pool:
        assert len({*pool.map(fetch, [url] * 4)}) == 1
    assert starts(source) == [0]


# Parts are never of two files


def test_a_server_that_ignores_ranges_starts_anew(server: Server, fetch: Callable[..., Path]) -> None:
    url, source = server.add(cuts=iter([300_000]), knows_ranges=False)
    assert fetch(url).read_bytes() == CONTENT
    assert len(source.ranges) == 2


def test_a_file_that_changed_on_the_server_starts_anew(server: Server, fetch: Callable[..., Path]) -> None:
    url, source = server.add(content=OTHER, version=("ETag", '"old"'), cuts=itertools.repeat(300_000))
    with refused("the connection ended"):
        fetch(url, sha256=None)
    source.content, source.version, source.cuts = CONTENT, ("ETag", '"new"'), iter(())
    assert fetch(url, sha256=None).read_bytes() == CONTENT


@pytest.mark.parametrize("version", [("", ""), ("ETag", 'W/"weak"'), ("ETag", "\xff")])
def test_what_has_no_version_starts_anew(version: tuple[str, str], server: Server, fetch: Callable[..., Path]) -> None:
    url, source = server.add(version=version, cuts=iter([300_000]))
    assert fetch(url).read_bytes() == CONTENT
    assert source.ranges == [None, None]


def test_another_mirror_starts_anew(server: Server, fetch: Callable[..., Path]) -> None:
    broken, _ = server.add(content=OTHER, cuts=itertools.repeat(300_000))
    url, source = server.add()
    assert fetch(broken, url, sha256=None).read_bytes() == CONTENT
    assert source.ranges == [None]


def test_a_mirror_that_is_down_does_not_cost_what_another_has_sent(
    server: Server, fetch: Callable[..., Path], closed_url: str
) -> None:
    url, source = server.add(cuts=itertools.repeat(300_000))
    with refused(f"net.pth could not be downloaded ({closed_url}: "):
        fetch(closed_url, url)
    source.cuts = iter(())
    assert fetch(closed_url, url).read_bytes() == CONTENT
    assert starts(source)[-1] > 0


@pytest.mark.parametrize(
    "wrong_range", ["bytes 5-1000002/1000003", "bytes 300000-400000/1000003", "bytes 300000-*/*", "pages 3-4/5"]
)
def test_a_rest_that_is_not_the_rest_is_not_taken(wrong_range: str, server: Server, fetch: Callable[..., Path]) -> None:
    url, source = server.add(cuts=iter([300_000]), wrong_range=wrong_range)
    assert fetch(url).read_bytes() == CONTENT
    assert [wanted is None for wanted in source.ranges] == [True, False, True]


def test_a_rest_of_another_version_is_not_taken(server: Server, fetch: Callable[..., Path], tmp_path: Path) -> None:
    url, source = server.add(version=("ETag", '"new"'), knows_versions=False)
    (tmp_path / "net.pth.part").write_bytes(OTHER[:5])
    (tmp_path / "net.pth.part.origin").write_text(f'{url}\n"old"\n')
    assert fetch(url).read_bytes() == CONTENT
    assert [wanted is None for wanted in source.ranges] == [False, True]


@pytest.mark.parametrize("origin", ["", "{url}\n", '{url}\n"one"\nmore\n', 'http://other/\n"one"\n', "{url}\n\xff\n"])
def test_a_part_of_unknown_origin_is_not_taken(
    origin: str, server: Server, fetch: Callable[..., Path], tmp_path: Path
) -> None:
    url, source = server.add()
    (tmp_path / "net.pth.part").write_bytes(OTHER[:5])
    (tmp_path / "net.pth.part.origin").write_bytes(origin.format(url=url).encode("latin-1"))
    assert fetch(url).read_bytes() == CONTENT
    assert source.ranges == [None]


def test_a_part_that_is_whole_is_not_fetched_again(server: Server, fetch: Callable[..., Path], tmp_path: Path) -> None:
    url, source = server.add()
    (tmp_path / "net.pth.part").write_bytes(CONTENT)
    (tmp_path / "net.pth.part.origin").write_text(f'{url}\n"one"\n')
    assert fetch(url).read_bytes() == CONTENT
    assert starts(source) == [len(CONTENT)]


def test_a_part_that_is_longer_than_the_file_is_dropped(
    server: Server, fetch: Callable[..., Path], tmp_path: Path
) -> None:
    url, source = server.add()
    (tmp_path / "net.pth.part").write_bytes(CONTENT + b"more")
    (tmp_path / "net.pth.part.origin").write_text(f'{url}\n"one"\n')
    assert fetch(url).read_bytes() == CONTENT
    assert starts(source) == [len(CONTENT) + 4, 0]


# Mirrors


@pytest.mark.parametrize(
    "settings",
    [
        {"status": 404},
        {"status": 503},
        {"status": 416},
        {"status": 204},
        {"content": OTHER},
        {"content": CONTENT + b"0"},
    ],
)
def test_the_next_mirror_is_asked_when_one_does_not_deliver_the_file(
    settings: dict[str, Any], server: Server, fetch: Callable[..., Path], closed_url: str, tmp_path: Path
) -> None:
    bad, refusing = server.add(**settings)
    good, source = server.add()
    assert fetch(closed_url, bad, good).read_bytes() == CONTENT
    assert source.ranges == refusing.ranges == [None]
    assert names(tmp_path) == ["net.pth"]


def test_an_answer_without_a_file_is_no_file(server: Server, fetch: Callable[..., Path]) -> None:
    empty, _ = server.add(status=204)
    good, _ = server.add()
    assert fetch(empty, good, sha256=None).read_bytes() == CONTENT


@pytest.mark.parametrize("n_sent", [0, PIECE * 2])
def test_a_server_that_falls_silent_is_given_up(
    n_sent: int, server: Server, fetch: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_transfer, "_PAUSES", (0.0,))
    released = Event()
    silent, _ = server.add(pause=(n_sent, released))
    good, _ = server.add()
    # A busy machine must still answer in time where it should.
    assert fetch(silent, good, timeout=0.5).read_bytes() == CONTENT
    released.set()


def test_when_all_fail_one_sentence_says_why_and_the_way_out(
    server: Server, fetch: Callable[..., Path], closed_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    missing, _ = server.add(status=404)
    wrong, _ = server.add(content=OTHER)
    monkeypatch.chdir(tmp_path)
    with refused("net.pth could not be downloaded") as caught:
        fetch(missing, closed_url, wrong, folder=Path("weights"))
    digest = hashlib.sha256(OTHER).hexdigest()
    assert re.fullmatch(
        rf"net\.pth could not be downloaded \({missing}: HTTP 404 Not Found; {closed_url}: .*[Cc]onnection refused.*; "
        rf"{wrong}: its file's SHA-256 is {digest}, and {DIGEST} is published\); fetch {missing} in another way, and "
        rf"put it at {tmp_path}/weights/net\.pth",
        str(caught.value),
    )
    assert names(tmp_path / "weights") == []


@pytest.mark.parametrize("says_length", [True, False])
@pytest.mark.parametrize("content", [CONTENT[:-1], CONTENT * 4])
def test_a_mirror_whose_file_has_another_size_is_refused(
    content: bytes, says_length: bool, server: Server, fetch: Callable[..., Path], tmp_path: Path
) -> None:
    released = Event()
    url, _ = server.add(content=content, says_length=says_length, pause=(PIECE * 20, released))
    with refused(" bytes, and 1000003 are expected"):
        fetch(url, n_bytes=len(CONTENT), sha256=None, timeout=1)  # the rest of what is too much is not waited for
    released.set()
    assert names(tmp_path) == []


def test_a_server_need_not_say_how_much_it_sends(server: Server, fetch: Callable[..., Path]) -> None:
    url, _ = server.add(says_length=False)
    assert fetch(url, n_bytes=len(CONTENT)).read_bytes() == CONTENT


# What is there already


@pytest.mark.parametrize("n_bytes", [None, len(CONTENT)])
def test_a_file_that_is_damaged_is_left_and_told(
    n_bytes: int | None, server: Server, fetch: Callable[..., Path], tmp_path: Path
) -> None:
    url, source = server.add()
    path = tmp_path / "net.pth"
    path.write_bytes(OTHER)
    digest = hashlib.sha256(OTHER).hexdigest()
    with refused(
        f"{path} is damaged or another file: its SHA-256 is {digest}, and {DIGEST} is published; delete it to"
    ):
        fetch(url, n_bytes=n_bytes)
    path.write_bytes(OTHER[1:])
    if n_bytes is not None:
        with refused(f"{path} has 1000002 bytes, and 1000003 are expected; delete it to have it downloaded again"):
            fetch(url, n_bytes=n_bytes)
    assert path.read_bytes() == OTHER[1:]
    assert source.ranges == []


def test_without_a_published_digest_the_first_one_holds(
    server: Server, fetch: Callable[..., Path], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    url, source = server.add()
    path, record = tmp_path / "net.pth", tmp_path / "net.pth.sha256"
    with caplog.at_level(logging.INFO, "pnas_models"):
        fetch(url, sha256=None)
        fetch(url, sha256=None)
    (line,) = caplog.messages
    assert line == (
        f"nobody has published a SHA-256 of net.pth, so that of this file, {DIGEST}, is recorded in {record}, and "
        "later uses are checked against it"
    )
    assert record.read_text() == f"{DIGEST}  net.pth\n"
    assert names(tmp_path) == ["net.pth", "net.pth.sha256"]
    path.write_bytes(OTHER)
    with refused(f"and {DIGEST} is recorded in {record} (delete that too if the file was meant to change); delete it"):
        fetch(url, sha256=None)
    # It also holds for what the server sends later.
    path.unlink()
    source.content, source.version = OTHER, ("ETag", '"two"')
    with refused(f"and {DIGEST} is recorded in {record} (delete that too"):
        fetch(url, sha256=None)
    assert names(tmp_path) == ["net.pth.sha256"]


def test_a_file_that_was_put_there_by_hand_is_recorded_too(
    server: Server, fetch: Callable[..., Path], tmp_path: Path
) -> None:
    url, source = server.add()
    (tmp_path / "net.pth").write_bytes(OTHER)
    assert fetch(url, sha256=None).read_bytes() == OTHER
    assert (tmp_path / "net.pth.sha256").read_text().startswith(hashlib.sha256(OTHER).hexdigest())
    assert source.ranges == []


def test_where_nothing_can_be_recorded_the_file_is_used_all_the_same(
    server: Server, fetch: Callable[..., Path], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "net.pth.sha256").mkdir()
    assert fetch(server.add()[0], sha256=None).read_bytes() == CONTENT
    (line,) = caplog.messages
    assert line.startswith(f"nobody has published a SHA-256 of net.pth, and that of this file, {DIGEST}, could not be")
    assert names(tmp_path) == ["net.pth", "net.pth.sha256"]


@pytest.mark.parametrize("record", ["", "cafe  net.pth\n", "\xff\n"])
def test_a_record_that_is_none_is_refused(
    record: str, server: Server, fetch: Callable[..., Path], tmp_path: Path
) -> None:
    (tmp_path / "net.pth.sha256").write_bytes(record.encode("latin-1"))
    with refused(f"{tmp_path / 'net.pth.sha256'} must begin with a SHA-256 of 64 hex digits"):
        fetch(server.add()[0], sha256=None)


# Arguments


@pytest.mark.parametrize("url", ["ftp://host/net.pth", "net.pth", "/data/net.pth", "data:,x", ""])
def test_a_url_of_another_kind_is_refused(url: str, fetch: Callable[..., Path]) -> None:
    with refused(f"{url!r} must be a URL that begins with https://, http:// or file://"):
        fetch(url)


def test_a_malformed_url_is_one_that_fails(fetch: Callable[..., Path]) -> None:
    with refused("net.pth could not be downloaded (http://a b/: "):
        fetch("http://a b/", "http://[/", "http://host:port/")


def test_at_least_one_url_is_needed(fetch: Callable[..., Path]) -> None:
    with refused("net.pth needs at least one URL to come from, and none is given"):
        fetch()


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "/a", "a/"])
def test_a_name_is_a_name_alone(name: str, tmp_path: Path) -> None:
    with refused(f"a file must be given a name without folders, and not {name!r}"):
        download(["https://host/"], name, folder=tmp_path)


@pytest.mark.parametrize("sha256", ["", DIGEST[:7], DIGEST + "0", "g" * 64, f"{DIGEST[:8]}\n"])
def test_a_digest_that_is_none_is_refused(sha256: str, fetch: Callable[..., Path]) -> None:
    with refused(f"a SHA-256 must be 64 hex digits, or the first 8 of them or more, and not {sha256!r}"):
        fetch("https://host/", sha256=sha256)


def test_a_folder_that_cannot_be_made_is_refused(server: Server, fetch: Callable[..., Path], tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with refused(f"{tmp_path / 'file' / 'net.pth'} cannot be written (") as caught:
        fetch(server.add()[0], folder=tmp_path / "file")
    assert str(caught.value).endswith("choose another folder, or set PNAS_HOME to one")
