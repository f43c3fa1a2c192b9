from collections.abc import Iterator
from contextlib import contextmanager

from pnas_tools._errors import BadInput


@contextmanager
def refusing() -> Iterator[None]:
    """What the packages about networks and training refuse is bad input."""
    from pnas_models import ModelError
    from pnas_trainer import TrainerError

    try:
        yield
    except (ModelError, TrainerError) as error:
        raise BadInput(str(error)) from error
