from collections.abc import Iterator
from contextlib import contextmanager

from pnas_tools._errors import BadInput, Failed


@contextmanager
def refusing() -> Iterator[None]:
    """What the packages about networks and training refuse is bad input, and what there is no memory for has failed."""
    import torch

    from pnas_models import ModelError
    from pnas_trainer import TrainerError

    try:
        yield
    except (ModelError, TrainerError) as error:
        raise BadInput(str(error)) from error
    except RuntimeError as error:
        if not (isinstance(error, torch.OutOfMemoryError) or "can't allocate memory" in str(error)):
            raise
        raise Failed("out of memory: ask for a smaller network, smaller images or a smaller batch") from error
