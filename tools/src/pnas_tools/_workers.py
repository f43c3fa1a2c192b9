import os

from pnas_tools._config import SearchConfig


def default_workers(config: SearchConfig) -> int:
    """How many processes train: as many as the cores allow, or one on a GPU."""
    if config.device != "cpu":
        return 1
    if hasattr(os, "sched_getaffinity"):  # Linux only
        return max(1, len(os.sched_getaffinity(0)) // config.threads_per_child)
    return max(1, (os.cpu_count() or 1) // config.threads_per_child)
