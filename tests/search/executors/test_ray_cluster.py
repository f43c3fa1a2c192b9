import socket
import sys
from types import SimpleNamespace

import pytest

from pnas_search import RayExecutor, SearchError
from pnas_search._executors._ray_cluster import connected, count_places


def enter(address):
    with RayExecutor(list, address=address):
        pass


def test_without_ray_it_says_how_to_install_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(SearchError, match=r"^Ray cannot be imported \(.*\): pip install pnas-search\[ray\]$"):
        enter(None)


def test_an_address_where_nobody_listens_is_refused_at_once():
    pytest.importorskip("ray")
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    message = (
        rf"^no Ray cluster can be reached at 127\.0\.0\.1:{port} \(.*refused\): run this on a machine of a cluster"
    )
    with pytest.raises(SearchError, match=message):
        enter(f"127.0.0.1:{port}")


@pytest.mark.parametrize(
    ("address", "message"),
    [
        ("ray://127.0.0.1:10001", "^ray://127.0.0.1:10001 is that of a Ray client, which this cannot be: run this on"),
        (
            "gibberish",
            r"^no Ray cluster can be reached at gibberish \(Invalid address format: gibberish\): run this on",
        ),
    ],
)
def test_an_address_that_is_none_is_refused(address, message):
    pytest.importorskip("ray")
    with pytest.raises(SearchError, match=message):
        enter(address)


def test_a_cluster_that_asks_for_a_token_is_told_so(monkeypatch):
    ray = pytest.importorskip("ray")

    def refuse(**arguments):
        raise ConnectionError("Failed to connect to Ray cluster at 127.0.0.1:6379") from RuntimeError(
            "Failed to connect to GCS. Last connection error: …\nray.exceptions.AuthenticationError: RPC error: …"
        )

    monkeypatch.setattr(ray, "init", refuse)
    message = r"at auto \(Failed to connect to Ray cluster at 127\.0\.0\.1:6379\): it asks for a token, so set RAY_AUTH"
    with pytest.raises(SearchError, match=message):
        enter("auto")


def test_ray_is_started_here_only_where_no_address_is_known(monkeypatch):
    ray = pytest.importorskip("ray")
    asked = []
    monkeypatch.setattr(ray, "is_initialized", lambda: False)
    monkeypatch.setattr(ray._private.worker, "_worker_logs_enabled", True)
    monkeypatch.setattr(ray, "init", lambda **arguments: asked.append(arguments))
    monkeypatch.setattr(ray, "shutdown", lambda: asked.append("shutdown"))
    for variable, address in (("", None), ("auto", None), ("auto", "local"), ("local", "auto")):
        monkeypatch.setenv("RAY_ADDRESS", variable)
        with connected(address, 7):
            assert not ray._private.worker._worker_logs_enabled
    local, other, *rest = asked[::2]
    assert [each["address"] for each in (local, other, *rest)] == ["local", "auto", "local", "auto"]
    assert (local["num_cpus"], local["include_dashboard"]) == (7, False)
    assert "num_cpus" not in other
    assert not any(each["log_to_driver"] for each in (local, other))
    assert asked[1::2] == ["shutdown"] * 4
    assert ray._private.worker._worker_logs_enabled


def test_a_connection_that_is_there_is_used_and_left(monkeypatch):
    ray = pytest.importorskip("ray")
    monkeypatch.setattr(ray, "is_initialized", lambda: True)
    monkeypatch.setattr(ray, "init", None)
    monkeypatch.setattr(ray, "shutdown", None)
    with connected(None, None) as given:
        assert given is ray


def test_places_are_counted_on_each_node_that_is_alive():
    nodes = [
        {"Alive": True, "Resources": {"CPU": 4.0, "GPU": 1.0}},
        {"Alive": True, "Resources": {"CPU": 3.0}},
        {"Alive": False, "Resources": {"CPU": 8.0}},
    ]
    ray = SimpleNamespace(nodes=lambda: nodes)
    for cpus, gpus, expected in (
        (1, 0, 7),
        (2, 0, 3),
        (0.1, 0, 70),
        (1, 0.25, 4),
        (0, 0.25, 4),
        (2, 0.25, 2),
        (5, 0, 0),
    ):
        assert count_places(ray, cpus=cpus, gpus=gpus) == expected
