from pathlib import Path

from pnas_tools._child import train_config
from pnas_tools._config import SearchConfig
from pnas_tools._errors import BadInput


def prepare(config: SearchConfig, data: Path) -> None:
    """Put the images where the workers look for them, and see that everything the config names can be had.

    Raises:
        BadInput: the data set, the device, or values that do not go together.
    """
    import torch

    import pnas_surrogate  # noqa: F401  # later, MLflow's thread would be importing at the same time
    from pnas_trainer import Preprocessor, TrainerError, load_dataset

    # The surrogate is fitted in this process, and its sums shall not depend on how many cores there are.
    torch.set_num_threads(1)
    if config.device != "cpu" and (torch.device(config.device).index or 0) >= torch.cuda.device_count():
        raise BadInput(
            f"--device {config.device} asks for a CUDA device, and PyTorch finds {torch.cuda.device_count()} of them: "
            "pass another one, or --device cpu"
        )
    try:
        settings = train_config(config)
        images = load_dataset(
            config.dataset, validation_fraction=config.validation_fraction, split_seed=config.split_seed
        )
        Preprocessor(settings.preprocessing, images.train_images)
    except TrainerError as error:
        raise BadInput(str(error)) from error
    images.save(data)
