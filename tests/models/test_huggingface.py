"""A push and a pull with the Hub's own client; the server speaks the Hub's protocol and keeps what it gets."""

import base64
import hashlib
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from pnas_models import PNASNET_5

COMMIT = "c" * 40


class _Hub(BaseHTTPRequestHandler):
    files: dict[str, bytes]

    def do_POST(self) -> None:
        body = self._body()
        if self.path == "/api/repos/create":
            self._answer({"url": f"http://{self.headers['Host']}/me/net", "name": "me/net"})
        elif self.path == "/api/validate-yaml":
            self._answer({"errors": [], "warnings": []})
        elif "/preupload/" in self.path:
            paths = [file["path"] for file in json.loads(body)["files"]]
            modes = [{"path": path, "uploadMode": "regular", "shouldIgnore": False} for path in paths]
            self._answer({"files": modes})
        elif "/commit/" in self.path:
            for line in body.splitlines():
                entry = json.loads(line)
                if entry["key"] == "file":
                    self.files[entry["value"]["path"]] = base64.b64decode(entry["value"]["content"])
            self._answer({"commitUrl": f"http://{self.headers['Host']}/me/net/commit/{COMMIT}", "commitOid": COMMIT})
        else:
            self.send_error(404)

    def do_HEAD(self) -> None:
        self._file()

    def do_GET(self) -> None:
        if self.path.startswith("/api/models/"):
            self._answer({"id": "me/net", "sha": COMMIT, "siblings": [{"rfilename": name} for name in self.files]})
        else:
            self.wfile.write(self._file())

    def _file(self) -> bytes:
        content = self.files.get(self.path.rpartition("/")[2])
        if content is None or not self.path.startswith("/me/net/resolve/"):
            self.send_response(404)
            self.send_header("X-Error-Code", "EntryNotFound")
            self.send_header("Content-Length", "0")
            self.end_headers()
            return b""
        self.send_response(200)
        self.send_header("ETag", f'"{hashlib.sha256(content).hexdigest()}"')
        self.send_header("X-Repo-Commit", COMMIT)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        return content

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding") != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))
        chunks = []
        while size := int(self.rfile.readline(), 16):
            chunks.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(chunks)

    def _answer(self, content: object) -> None:
        data = json.dumps(content).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: object) -> None:
        """Nobody reads it."""


@pytest.fixture
def hub() -> Iterator[tuple[str, dict[str, bytes]]]:
    files: dict[str, bytes] = {}
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Hub", (_Hub,), {"files": files}))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", files
    server.shutdown()
    thread.join()
    server.server_close()


PUSH_AND_PULL = """
import torch
from pnas_models import PNASNET_5, cifar_network
from pnas_models.huggingface import from_pretrained, push_to_hub

network = cifar_network(PNASNET_5, 4, 1, num_classes=3).eval()
print(push_to_hub(network, "me/net", license="apache-2.0"))
images = torch.randn(2, 3, 16, 16)
print(torch.equal(from_pretrained("me/net").eval()(images), network(images)))
"""


def _run(endpoint: str, folder: Path) -> list[str]:
    environment = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
    done = subprocess.run(
        [sys.executable, "-c", PUSH_AND_PULL],
        env={**environment, "HF_ENDPOINT": endpoint, "HF_HOME": str(folder), "HF_TOKEN": "hf_test"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


def test_a_network_goes_to_the_hub_and_comes_back(hub: tuple[str, dict[str, bytes]], tmp_path: Path) -> None:
    endpoint, files = hub
    assert _run(endpoint, tmp_path) == [f"{endpoint}/me/net/commit/{COMMIT}", "True"]
    assert set(files) == {"README.md", "config.json", "model.safetensors"}
    assert json.loads(files["config.json"])["cell"] == [list(block) for block in PNASNET_5]
    card = files["README.md"].decode()
    assert 'model = from_pretrained("me/net")' in card
    assert "license: apache-2.0" in card


def test_a_model_card_that_is_there_stays(hub: tuple[str, dict[str, bytes]], tmp_path: Path) -> None:
    endpoint, files = hub
    files["README.md"] = b"mine"
    _run(endpoint, tmp_path)
    assert files["README.md"] == b"mine"
