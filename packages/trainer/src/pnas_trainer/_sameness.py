"""Whether a model does the same at every step, so that one may stand for all: what can be told from outside."""

import itertools
import operator
import random
from collections.abc import Iterable
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.modules.module import _has_any_global_hook


def host_randomness() -> tuple[object, ...]:
    """The states of the generators that code on the host draws from, unless it has its own; drawing changes them."""
    numpy_state: Any = np.random.get_state(legacy=False)  # noqa: NPY002  # whoever uses it is looked for
    with torch._C.DisableTorchFunction():  # noqa: SLF001  # modes would look at this
        torch_state = torch.get_rng_state().numpy().tobytes()
    return random.getstate(), numpy_state["state"]["key"].tobytes(), numpy_state["state"]["pos"], torch_state


class Snapshot:
    """Everything that the modules of a model hold, by identity: modules, parameters, buffers, hooks and attributes.

    What somebody changes inside of an object, such as a list, is not seen.

    Attributes:
        parameters: of the model, and its `buffers`.
        is_watched: whether somebody wants to see what goes through a module, or a parameter's gradient.
    """

    def __init__(self, model: nn.Module) -> None:
        modules = list(model.modules())
        self.parameters, self.buffers = list(model.parameters()), list(model.buffers())
        self.is_watched = is_watched(modules)
        self._tensors = [*self.parameters, *self.buffers]
        # `vars` has the attributes; children, tensors and hooks are in dictionaries that stay the same.
        self._dictionaries = [
            dictionary
            for module in modules
            for dictionary in (vars(module), *(value for value in vars(module).values() if isinstance(value, dict)))
        ]
        self._filled = [dictionary for dictionary in self._dictionaries if dictionary]
        self._held = list(self._values())
        self._places = self._storage()

    def still_holds(self) -> bool:
        """Whether the model is as it was, but for the numbers in its tensors."""
        # Every step asks this, of thousands of objects.
        return (
            not _has_any_global_hook()
            and sum(map(len, self._dictionaries)) == len(self._held)
            and all(map(operator.is_, self._values(), self._held))
            and self._storage() == self._places
        )

    def _values(self) -> itertools.chain[object]:
        return itertools.chain.from_iterable(map(dict.values, self._filled))

    def _storage(self) -> tuple[list[Any], ...]:
        with torch._C.DisableTorchFunction():  # noqa: SLF001  # modes would look at each of these
            requires_grad = [tensor.requires_grad for tensor in self._tensors]
            return list(map(Tensor.data_ptr, self._tensors)), requires_grad, list(map(_sends, self._tensors))


def is_watched(modules: Iterable[nn.Module]) -> bool:
    """Whether somebody wants to see what goes through one of these, or the gradient of one of their parameters."""
    return _has_any_global_hook() or any(
        _has_hooks(module) or any(map(_sends, module.parameters(recurse=False))) for module in modules
    )


def _has_hooks(module: nn.Module) -> bool:
    hooks: tuple[dict[int, Any], ...] = (
        module._forward_hooks,  # noqa: SLF001
        module._forward_pre_hooks,  # noqa: SLF001
        module._backward_hooks,  # noqa: SLF001
        module._backward_pre_hooks,  # noqa: SLF001
    )
    return any(hooks)


def _sends(tensor: Tensor) -> bool:
    """Whether its gradient goes to hooks."""
    return bool(tensor._backward_hooks or tensor._post_accumulate_grad_hooks)  # noqa: SLF001
