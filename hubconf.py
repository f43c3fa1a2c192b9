"""PNASNet-5 for torch.hub: `torch.hub.load(repository, "pnasnet5_mobile", weights="DEFAULT")`."""

import sys
from pathlib import Path

dependencies = ["filelock", "google_crc32c", "numpy", "safetensors", "torch", "torchvision", "tqdm"]

sys.path.insert(0, str(Path(__file__).resolve().parent / "packages" / "models" / "src"))

from pnas_models import pnasnet5_cifar, pnasnet5_large, pnasnet5_mobile  # noqa: E402

__all__ = ["pnasnet5_cifar", "pnasnet5_large", "pnasnet5_mobile"]
