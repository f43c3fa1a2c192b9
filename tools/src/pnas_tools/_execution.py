import os
from dataclasses import dataclass

from pnas_tools._arithmetic import PORTABLE
from pnas_tools._config import SearchConfig
from pnas_tools._errors import BadInput
from pnas_tools._evaluator_name import BenchmarkName

EXECUTORS = ("local", "processes", "ray")


@dataclass(frozen=True, kw_only=True)
class Execution:
    """Where children are trained; it decides how long a search takes, and not what it finds.

    Attributes:
        executor: `local` is this process, `processes` are others of this machine, `ray` a cluster.
        n_workers: how many children are trained at a time; None for as many as there are cores or GPUs for.
        children_per_gpu: how many of them share a GPU.
        seconds_per_child: what a child may take; None for as long as it likes.
    """

    executor: str = "processes"
    n_workers: int | None = None
    children_per_gpu: int = 1
    seconds_per_child: float | None = None

    def check(self, config: SearchConfig) -> None:
        """Raise `BadInput` where the values do not go together."""
        if self.executor == "local" and (self.n_workers or 1) > 1:
            raise BadInput(
                f"--executor local trains one child at a time, and --workers is {self.n_workers}: "
                "leave it out, or pass --executor processes"
            )
        if self.executor == "local" and self.seconds_per_child is not None:
            raise BadInput("--child-timeout needs a process that can be ended: pass --executor processes or ray")
        if self.executor == "local" and config.arithmetic == PORTABLE and BenchmarkName.of(config.evaluator) is None:
            raise BadInput(
                "--arithmetic portable is set before a process starts, and --executor local starts none: "
                "pass --executor processes"
            )

    def workers(self, config: SearchConfig) -> int:
        """How many processes train on this machine."""
        if self.n_workers is not None:
            return self.n_workers
        if config.device != "cpu":
            return max(1, len(gpus(config))) * self.children_per_gpu
        return max(1, _n_cores() // config.threads_per_child)


def gpus(config: SearchConfig) -> list[str]:
    """The names, for `CUDA_VISIBLE_DEVICES`, of the GPUs that workers are spread over; none where one was chosen."""
    if config.device != "cuda":
        return []
    import torch

    names = os.environ.get("CUDA_VISIBLE_DEVICES")
    return names.split(",") if names else [str(index) for index in range(torch.cuda.device_count())]


def _n_cores() -> int:
    if hasattr(os, "sched_getaffinity"):  # Linux only
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
