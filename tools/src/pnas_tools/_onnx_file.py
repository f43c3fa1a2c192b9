"""An ONNX file that gives what PyTorch gives."""

from pathlib import Path

import numpy as np
import torch

from pnas_models import CellNetwork, export_onnx, fuse
from pnas_tools._errors import Failed

TOLERANCE = 1e-4


def write_onnx(network: CellNetwork, path: Path, image_size: int, *, fused: bool) -> float | None:
    """Write a network as an ONNX file, and compare what it gives with what the network gives.

    Returns:
        The largest difference in a logit, relative to the largest logit; None where there is no onnxruntime.

    Raises:
        Failed: it is larger than `TOLERANCE`; the file that was there before, if any, is as it was.
        ModelError: what an export needs is not installed.
    """
    unchecked = path.with_name(f"{path.name}.unchecked")
    try:
        export_onnx(fuse(network) if fused else network, unchecked, image_size=image_size)
        difference = _difference(network, unchecked, image_size)
        if difference is not None and not difference <= TOLERANCE:  # nor NaN
            raise Failed(
                f"{path} was not written: onnxruntime's logits for it differ from PyTorch's by {difference:.1e} of the "
                f"largest, and {TOLERANCE:.0e} is allowed; try other versions of onnx and onnxruntime, or --no-fuse"
            )
        unchecked.replace(path)
    finally:
        unchecked.unlink(missing_ok=True)
    return difference


def _difference(network: CellNetwork, path: Path, image_size: int) -> float | None:
    try:
        import onnxruntime
    except ImportError:
        return None
    # One image, where the export followed two.
    shape = (1, network.config["in_channels"], image_size, image_size)
    images = torch.randn(shape, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        expected = network.eval()(images).numpy()
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    (actual,) = session.run(None, {"images": images.numpy()})
    return float(np.abs(actual - expected).max() / np.abs(expected).max())
