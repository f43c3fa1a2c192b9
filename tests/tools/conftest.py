from pathlib import Path

import numpy as np
import pytest
from PIL import Image


@pytest.fixture(scope="session")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Random pictures of several sizes in folders of two classes, in `train` and in `val`."""
    root = tmp_path_factory.mktemp("pictures")
    rng = np.random.default_rng(0)
    for part, n_images in (("train", 6), ("val", 5)):
        for name in ("n01440764", "n01443537"):
            (root / part / name).mkdir(parents=True)
            for index in range(n_images):
                pixels = rng.integers(0, 256, (70 + 5 * index, 90, 3), dtype=np.uint8)
                Image.fromarray(pixels).save(root / part / name / f"{index}.png")
    return root
