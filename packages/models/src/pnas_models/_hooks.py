from torch import nn


def has_hooks(module: nn.Module) -> bool:
    """Whether somebody has hung something on a module, so that it does more than its type says."""
    return bool(module._forward_hooks or module._forward_pre_hooks)  # noqa: SLF001 - there is no public way to ask
