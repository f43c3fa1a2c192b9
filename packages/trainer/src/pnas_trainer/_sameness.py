"""Whether a model does the same at every step, so that one may stand for all: what can be told from outside."""

from torch import nn
from torch.nn.modules.module import _has_any_global_hook


def is_watched(model: nn.Module) -> bool:
    """Whether somebody wants to see what goes through a module."""
    return _has_any_global_hook() or any(
        module._forward_hooks  # noqa: SLF001
        or module._forward_pre_hooks  # noqa: SLF001
        or module._backward_hooks  # noqa: SLF001
        or module._backward_pre_hooks  # noqa: SLF001
        for module in model.modules()
    )


def plain_attributes(model: nn.Module) -> list[dict[str, object]]:
    """The numbers and names that modules hold; who counts steps in one of them may do another thing at each."""
    return [
        {name: value for name, value in vars(module).items() if isinstance(value, (bool, int, float, str, tuple))}
        for module in model.modules()
    ]
