"""The processes that `torchrun` starts, which train one network together."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Self


@dataclass(frozen=True, kw_only=True)
class ProcessGroup:
    """What this process is among those that train together.

    Attributes:
        n: how many they are; 1 without `torchrun`.
        index: which of them this is, from 0; the first one alone writes files and talks.
    """

    n: int
    index: int

    @classmethod
    def of_environment(cls) -> Self:
        if "TORCHELASTIC_RUN_ID" not in os.environ:  # set by torchrun
            return cls(n=1, index=0)
        return cls(n=int(os.environ["WORLD_SIZE"]), index=int(os.environ["RANK"]))

    @property
    def is_first(self) -> bool:
        return self.index == 0

    def device(self, device: str) -> str:
        """The one of this process: each of a machine takes another GPU."""
        return f"cuda:{os.environ['LOCAL_RANK']}" if device == "cuda" and self.n > 1 else device

    @contextmanager
    def joined(self, device: str) -> Iterator[None]:
        """With the others, which wait for each other at the beginning."""
        if self.n == 1:
            yield
            return
        import torch
        from torch import distributed

        if device != "cpu":
            torch.cuda.set_device(self.device(device))
        distributed.init_process_group("gloo" if device == "cpu" else "nccl")
        try:
            yield
        finally:
            distributed.destroy_process_group()

    @contextmanager
    def first_goes_first(self) -> Iterator[None]:
        """What the first process does in here it has done before the others begin, such as a download."""
        if self.n > 1 and not self.is_first:
            _wait()
        yield
        if self.n > 1 and self.is_first:
            _wait()


def _wait() -> None:
    from torch import distributed

    distributed.barrier()
