from os import PathLike, getpid
from pathlib import Path

import torch

from pnas_models._checks import checked_image_size
from pnas_models._errors import ModelError
from pnas_models._network import CellNetwork


def export_onnx(network: CellNetwork, path: str | PathLike[str], *, image_size: int | tuple[int, int] = 224) -> None:
    """Write a network as an ONNX file: `images` (N, C, H, W) to `logits` (N, num_classes), for any N, H and W.

    Batch normalizations are folded into the convolutions by most runtimes; `fuse` does it before.

    Args:
        network: in evaluation mode or not, the file has evaluation's behaviour.
        path: of the file; one that is there is replaced.
        image_size: of the example that the export follows; the file takes other sizes too.

    Raises:
        ModelError: `pip install "pnas-models[onnx]"` is missing.
    """
    try:
        import onnxscript  # noqa: F401
    except ImportError as error:
        raise ModelError('an ONNX file needs the onnx extra: pip install "pnas-models[onnx]"') from error
    size = checked_image_size(image_size)
    example = next(network.parameters()).new_zeros(2, network.config["in_channels"], *size)
    dynamic = torch.export.Dim.DYNAMIC
    was_training = network.training
    network.eval()
    try:
        program = torch.onnx.export(
            network,
            (example,),
            input_names=["images"],
            output_names=["logits"],
            dynamic_shapes=({0: dynamic, 2: dynamic, 3: dynamic},),
            dynamo=True,
            verbose=False,
        )
    finally:
        network.train(was_training)
    assert program is not None  # with dynamo=True it is a program
    path = Path(path)
    part = path.with_name(f"{path.name}.{getpid()}.part")
    try:
        program.save(part)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
