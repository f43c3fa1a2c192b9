"""The connection to a Ray cluster; the only place that imports Ray."""

import contextlib
import logging
import math
import os
import socket
from collections.abc import Iterator
from typing import Any

from pnas_search._errors import SearchError


def import_ray() -> Any:
    try:
        import ray
    except ImportError as error:
        raise SearchError(f"Ray cannot be imported ({error}): pip install pnas-search[ray]") from error
    return ray


@contextlib.contextmanager
def connected(address: str | None, n_cpus: int | None) -> Iterator[Any]:
    """Ray, connected to the cluster at an address, or of RAY_ADDRESS, or else to one that is started for the purpose.

    A connection that this process has already is used as it is, and stays.

    Args:
        address: `host:port` of the cluster's head, `auto` for that on this machine, or `local` for one of its own.
        n_cpus: that one of its own has; as many as the machine by default.
    """
    ray = import_ray()
    if address is None and ray.is_initialized():
        yield ray
        return
    address = address or os.environ.get("RAY_ADDRESS") or "local"
    local = {"num_cpus": n_cpus, "include_dashboard": False} if address == "local" else {}
    _check(address)
    with _told_nothing(ray):
        try:
            ray.init(address=address, log_to_driver=False, logging_level=logging.CRITICAL, **local)
        except Exception as error:  # of any class, plain ones too
            raise SearchError(f"{_nothing_at(address)} ({str(error).splitlines()[0]}): {_way_out(error)}") from error
        try:
            yield ray
        finally:
            ray.shutdown()


_WAY_OUT = (
    "run this on a machine of a cluster (`ray start` makes it one), and give its address as `ray status` does, or "
    "unset RAY_ADDRESS to use this machine alone"
)


def _way_out(error: Exception) -> str:
    if "AuthenticationError" in str(error.__cause__):
        return "it asks for a token, so set RAY_AUTH_MODE=token where `ray get-auth-token` knows that of the cluster"
    return _WAY_OUT


def _nothing_at(address: str) -> str:
    return "no Ray could be started here" if address == "local" else f"no Ray cluster can be reached at {address}"


def _check(address: str) -> None:
    """Whether anybody listens there, which Ray itself would try for minutes."""
    if "://" in address:
        raise SearchError(f"{address} is that of a Ray client, which this cannot be: {_WAY_OUT}")
    host, colon, port = address.rpartition(":")
    if not colon or not port.isdecimal():
        return
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout=10).close()
    except OSError as error:
        raise SearchError(f"{_nothing_at(address)} ({error}): {_WAY_OUT}") from error


@contextlib.contextmanager
def _told_nothing(ray: Any) -> Iterator[None]:
    """Ray's nodes print on the terminals of all drivers that a worker has died, and no setting keeps them from it."""
    module = ray._private.worker  # noqa: SLF001
    before = getattr(module, "_worker_logs_enabled", True)
    module._worker_logs_enabled = False  # noqa: SLF001
    try:
        yield
    finally:
        module._worker_logs_enabled = before  # noqa: SLF001


def count_places(ray: Any, *, cpus: float, gpus: float) -> int:
    """How many workers that need so much the nodes of the cluster hold, whatever else runs on them."""
    needed = {name: amount for name, amount in (("CPU", cpus), ("GPU", gpus)) if amount}
    return sum(
        min(math.floor(node["Resources"].get(name, 0) / amount + 1e-9) for name, amount in needed.items())
        for node in ray.nodes()
        if node["Alive"]
    )
