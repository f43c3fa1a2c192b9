import subprocess
import sys
from pathlib import Path
from typing import Any

import onnxruntime
import pytest
import torch

from pnas_models import cifar_network, export_onnx, fuse, imagenet_network

# Together all eight operations, at both strides.
CELL_1 = [(-2, "sep_conv_5x5", -1, "max_pool_3x3")]
CELL_2 = [
    (-2, "sep_conv_7x7", -1, "identity"),
    (-1, "dil_conv_3x3", -2, "conv_1x7_7x1"),
    (-1, "avg_pool_3x3", 0, "sep_conv_3x3"),
]
NETWORKS: list[Any] = [
    pytest.param(lambda: imagenet_network(CELL_1, 4, 1, 5, 6), 48, id="imagenet"),
    pytest.param(lambda: cifar_network(CELL_2, 3, 1, 5), 12, id="cifar"),
]
each_network = pytest.mark.parametrize(("build", "size"), NETWORKS)
DYNAMIC = torch.export.Dim.DYNAMIC
EVERY_PARITY = [(0, 0), (1, 2), (3, 0), (6, 9), (11, 5)]


def _build(build: Any, size: int) -> Any:
    network = build()
    network(torch.randn(4, 3, size, size))  # moving averages that are not those of the beginning
    return network.eval()


@each_network
def test_onnx_files_take_any_batch_height_and_width(build: Any, size: int, tmp_path: Path) -> None:
    network = _build(build, size).train()
    export_onnx(network, tmp_path / "network.onnx", image_size=size)
    assert network.training
    assert [file.name for file in tmp_path.iterdir()] == ["network.onnx"]
    session = onnxruntime.InferenceSession(tmp_path / "network.onnx", providers=["CPUExecutionProvider"])
    assert [entry.name for entry in (*session.get_inputs(), *session.get_outputs())] == ["images", "logits"]
    network.eval()
    for n, (more_height, more_width) in enumerate(EVERY_PARITY, start=1):
        images = torch.randn(n, 3, size + more_height, size + more_width)
        with torch.no_grad():
            expected = network(images)
        (logits,) = session.run(None, {"images": images.numpy()})
        assert abs(torch.from_numpy(logits) - expected).max() <= 1e-4 * expected.abs().max()


@pytest.mark.parametrize("fused", [False, True])
@each_network
def test_exported_programs_take_any_batch_height_and_width(build: Any, size: int, fused: bool) -> None:
    network = _build(build, size)
    network = fuse(network) if fused else network
    program = torch.export.export(
        network, (torch.randn(2, 3, size, size),), dynamic_shapes=({0: DYNAMIC, 2: DYNAMIC, 3: DYNAMIC},)
    ).module()
    for n, (more_height, more_width) in enumerate(EVERY_PARITY, start=1):
        images = torch.randn(n, 3, size + more_height, size + more_width)
        torch.testing.assert_close(program(images), network(images))


def test_without_the_extra_the_way_out_is_said() -> None:
    code = (
        "import sys; sys.modules['onnxscript'] = None\n"
        "from pnas_models import ModelError, cifar_network, export_onnx\n"
        "try: export_onnx(cifar_network([(-1, 'identity', -2, 'identity')], 1, 1), 'network.onnx')\n"
        "except ModelError as error: print(error)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == 'an ONNX file needs the onnx extra: pip install "pnas-models[onnx]"\n'


def test_it_compiles_to_machine_code() -> None:
    network = _build(lambda: cifar_network(CELL_1, 4, 1, 5), 9)
    compiled = torch.compile(network, fullgraph=True)
    images = torch.randn(4, 3, 9, 9)
    with torch.no_grad():
        torch.testing.assert_close(compiled(images), network(images), rtol=1e-4, atol=1e-5)
