import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from pnas_models import (
    PNAS_OPERATIONS,
    PNASNET_5,
    BatchNorm,
    CellNetwork,
    ModelError,
    cifar_network,
    create_model,
    imagenet_network,
    load_weights,
    save_weights,
)
from pnas_models._checkpoints._sources import slim_names, timm_names

DATA = Path(__file__).parent / "data"


def _small(num_classes: int = 7, **options: Any) -> CellNetwork:
    return imagenet_network(PNASNET_5, 5, 1, num_classes, 4, **options)


def _randomized(network: CellNetwork) -> CellNetwork:
    """With moving averages, too, that are not those of a network that has seen nothing."""
    for tensor in network.state_dict().values():
        if tensor.is_floating_point():
            tensor.uniform_(0.5, 1.5)
    return network


def _state(network: CellNetwork) -> dict[str, Tensor]:
    return {name: tensor.clone() for name, tensor in network.state_dict().items()}


@pytest.mark.parametrize("suffix", ["", ".index", ".data-00000-of-00001"])
@pytest.mark.parametrize(
    ("family", "build"),
    [("imagenet", _small), ("cifar", lambda: cifar_network(PNASNET_5, 5, 1, 7))],
)
def test_a_checkpoint_of_tf_slim_gives_tf_slims_logits(family: str, build: Any, suffix: str) -> None:
    """At even, odd and oblong sizes, as TF-Slim itself computed them (data/make_slim_fixture.py)."""
    network = build().eval()
    load_weights(network, f"{DATA}/slim_{family}.ckpt{suffix}", source="tensorflow")
    with np.load(DATA / f"slim_{family}.npz") as arrays:
        sizes = [name.partition("_")[2] for name in arrays if name.startswith("images")]
        assert len(sizes) == 2
        for size in sizes:
            images = torch.from_numpy(arrays[f"images_{size}"]).permute(0, 3, 1, 2) / 127.5 - 1.0
            expected = torch.from_numpy(arrays[f"logits_{size}"])
            with torch.no_grad():
                difference = (network(images) - expected).abs().max()
            assert difference < 3e-6 * expected.abs().max()


def test_of_imagenets_1001_classes_the_background_comes_first_and_may_be_left_out(tmp_path: Path) -> None:
    network = _randomized(_small(1001, auxiliary=True, image_size=64))
    save_weights(network, tmp_path / "weights.safetensors")
    without = _small(1000, auxiliary=True, image_size=64)
    load_weights(without, tmp_path / "weights.safetensors")
    for name in ("classifier.weight", "classifier.bias", "aux.classifier.weight", "aux.classifier.bias"):
        assert torch.equal(without.state_dict()[name], network.state_dict()[name][1:])


def test_of_other_classes_the_first_is_a_class_like_all_others() -> None:
    with pytest.raises(ModelError, match=r"2 of another shape: final_layer/FC/weights 7x100 for 6x100, .*7 for 6"):
        load_weights(_small(6), DATA / "slim_imagenet.ckpt", source="tensorflow")


@pytest.mark.parametrize("source", ["timm", "cadene", "pnas"])
@pytest.mark.parametrize("kind", ["safetensors", "pth"])
def test_a_state_dict_of_each_source_is_read(source: Any, kind: str, tmp_path: Path) -> None:
    network = _randomized(_small())
    state = network.state_dict()
    if source != "pnas":
        state = {name: state[key] for key, name in timm_names(network).items()}
    if source == "timm":  # Cadene's file is of a PyTorch that did not count batches yet
        counted = [name.replace("running_mean", "num_batches_tracked") for name in state if "running_mean" in name]
        state.update({name: torch.tensor(3) for name in counted})
    path = tmp_path / f"weights.{kind}"
    if kind == "pth":
        torch.save(state, path, _use_new_zipfile_serialization=source != "cadene")
    else:
        save_file(state, path)
    fresh = _small()
    load_weights(fresh, path, source=source)
    torch.testing.assert_close(fresh.state_dict(), network.state_dict(), rtol=0.0, atol=0.0)


def _changed(state: dict[str, Tensor], change: str) -> tuple[dict[str, Tensor], str]:
    if change == "missing":
        del state["cells.0.operations_1.1.2.weight"]
        return state, "1 missing: cells.0.operations_1.1.2.weight"
    if change == "left over":
        state["more"] = torch.zeros(1)
        return state, "1 left over: more"
    if change == "two classes less":
        state["classifier.weight"] = state["classifier.weight"][2:].clone()
        return state, "1 of another shape: classifier.weight 5x100 for 7x100"
    state["stem.1.running_var"] = torch.ones(5)
    return state, "1 of another shape: stem.1.running_var 5 for 4"


@pytest.mark.parametrize("change", ["missing", "left over", "of another shape", "two classes less"])
def test_what_does_not_fit_is_listed_and_nothing_is_changed(change: str, tmp_path: Path) -> None:
    state, message = _changed(_state(_small()), change)
    save_file(state, tmp_path / "weights.safetensors")
    network = _small()
    before = _state(network)
    with pytest.raises(ModelError, match=re.escape(f"are not those of this network ({message}); build it with")):
        load_weights(network, tmp_path / "weights.safetensors")
    torch.testing.assert_close(network.state_dict(), before, rtol=0.0, atol=0.0)


def test_a_long_list_is_cut_and_counted() -> None:
    with pytest.raises(
        ModelError, match=r"missing: .* and \d+ more; \d+ left over: .* and \d+ more; 5 of another shape: "
    ):
        load_weights(cifar_network(PNASNET_5, 5, 1, 7), DATA / "slim_imagenet.ckpt", source="tensorflow")


def test_a_damaged_checkpoint_changes_nothing(tmp_path: Path) -> None:
    for file in DATA.glob("slim_imagenet.ckpt.*"):
        data = bytearray(file.read_bytes())
        if ".data-" in file.name:
            data[len(data) // 2] ^= 1
        (tmp_path / file.name).write_bytes(data)
    network = _small()
    before = _state(network)
    with pytest.raises(ModelError, match="does not match its checksum"):
        load_weights(network, tmp_path / "slim_imagenet.ckpt", source="tensorflow")
    torch.testing.assert_close(network.state_dict(), before, rtol=0.0, atol=0.0)


def test_the_auxiliary_head_is_read_skipped_or_said_to_be_untrained(tmp_path: Path) -> None:
    path = tmp_path / "weights.safetensors"
    with_head = _randomized(_small(auxiliary=True, image_size=64))
    save_weights(with_head, path)
    again = _small(auxiliary=True, image_size=64)
    load_weights(again, path)
    torch.testing.assert_close(again.state_dict(), with_head.state_dict(), rtol=0.0, atol=0.0)
    load_weights(_small(), path)
    with pytest.warns(UserWarning, match="has no auxiliary head: the network's own is untrained"):
        load_weights(again, DATA / "slim_imagenet.ckpt", source="tensorflow")
    other_size = _small(auxiliary=True, image_size=331)
    with pytest.raises(
        ModelError,
        match=r"aux.conv.weight 768x128x1x1 for 768x128x6x6\); build it with the image_size that the auxiliary",
    ):
        load_weights(other_size, path)


def test_weights_of_a_network_that_reads_them_otherwise_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "weights.safetensors"
    save_weights(cifar_network([(-2, "identity", -1, "max_pool_3x3")], 4, 1), path)
    with pytest.raises(
        ModelError, match=r"are of a network with cell .*max_pool_3x3.*, and this one has .*avg_pool_3x3"
    ):
        load_weights(cifar_network([(-2, "identity", -1, "avg_pool_3x3")], 4, 1), path)


@pytest.mark.parametrize(
    "content", [b"", b"nonsense", b"PK\x03\x04 no archive", b"\x80\x02}", b"\x10" + 7 * b"\x00" + b"{" * 30]
)
def test_a_file_of_something_else_is_refused(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(content)
    with pytest.raises(ModelError, match="no PyTorch file of tensors alone"):
        load_weights(_small(), tmp_path / "file", source="timm")


class _Dangerous:
    def __reduce__(self) -> tuple[Any, ...]:
        return pytest.fail, ("a pickle was executed",)


def test_a_pickle_is_never_executed(tmp_path: Path) -> None:
    torch.save({"stem.0.weight": _Dangerous()}, tmp_path / "weights.pth")
    with pytest.raises(ModelError, match="is no PyTorch file of tensors alone, and nothing else is unpickled"):
        load_weights(_small(), tmp_path / "weights.pth")


@pytest.mark.parametrize("share", [0.3, 0.5, 0.9, 0.9999])
@pytest.mark.parametrize("kind", ["safetensors", "pth"])
def test_a_file_that_is_cut_off_is_refused(kind: str, share: float, tmp_path: Path) -> None:
    path = tmp_path / f"weights.{kind}"
    if kind == "pth":
        torch.save(_small().state_dict(), path)
    else:
        save_weights(_small(), path)
    path.write_bytes(path.read_bytes()[: int(share * path.stat().st_size)])
    with pytest.raises(ModelError, match=r"is damaged, or no safetensors file .*: fetch or write it again"):
        load_weights(_small(), path)


@pytest.mark.parametrize(
    "change", [Tensor.to_sparse, Tensor.long, lambda x: x.to("meta"), lambda x: x.to(torch.complex64)]
)
def test_a_tensor_of_another_kind_changes_nothing(change: Any, tmp_path: Path) -> None:
    state = _state(_small())
    state["classifier.bias"] = change(state["classifier.bias"])
    torch.save(state, tmp_path / "weights.pth")
    network = _small()
    before = _state(network)
    with pytest.raises(
        ModelError, match=r"classifier.bias in .* is no plain tensor of floating point|is damaged, or no"
    ):
        load_weights(network, tmp_path / "weights.pth")
    torch.testing.assert_close(network.state_dict(), before, rtol=0.0, atol=0.0)


def test_a_network_without_memory_for_weights_is_refused() -> None:
    with torch.device("meta"):
        network = _small()
    with pytest.raises(
        ModelError, match=r"the network is on the meta device, which holds no weights: move it by to_empty"
    ):
        load_weights(network, DATA / "slim_imagenet.ckpt", source="tensorflow")
    with pytest.raises(ModelError, match="weights are loaded into a CellNetwork, not into Linear"):
        load_weights(torch.nn.Linear(1, 1), DATA / "slim_imagenet.ckpt")  # type: ignore[arg-type]


def test_a_replaced_operation_has_no_name_elsewhere() -> None:
    builder = PNAS_OPERATIONS["dil_conv_3x3"]
    network = _small(operations={"sep_conv_3x3": builder, "max_pool_3x3": builder})
    with pytest.raises(
        ModelError, match=r"there is no such name for cells.0.operations_\d.\d.\d.weight: the network is not"
    ):
        load_weights(network, DATA / "slim_imagenet.ckpt", source="tensorflow")


def test_what_is_no_state_dict_is_refused(tmp_path: Path) -> None:
    torch.save({"epoch": 3, "model": {}}, tmp_path / "weights.pth")
    with pytest.raises(ModelError, match="does not hold a state dict"):
        load_weights(_small(), tmp_path / "weights.pth")


def test_a_missing_file_and_an_unknown_source_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"there is no file .*none.pth: give a .safetensors or .pth file"):
        load_weights(_small(), tmp_path / "none.pth", source="timm")
    with pytest.raises(ModelError, match="source must be one of tensorflow, timm, cadene, pnas, not 'keras'"):
        load_weights(_small(), tmp_path, source="keras")  # type: ignore[arg-type]


def test_weights_come_to_where_the_network_is_and_in_its_type(tmp_path: Path) -> None:
    network = _randomized(_small())
    save_weights(network, tmp_path / "weights.safetensors")
    low = _small().to(torch.bfloat16)
    load_weights(low, tmp_path / "weights.safetensors")
    assert low.stem[0].weight.dtype == torch.bfloat16
    assert torch.equal(low.stem[0].weight, network.stem[0].weight.bfloat16())
    assert load_file(tmp_path / "weights.safetensors")["stem.0.weight"].dtype == torch.float32


def test_mobile_has_all_names_and_shapes_of_tf_slim() -> None:
    """data/slim_mobile_variables.tsv lists what TF-Slim's network creates for training at 224x224."""
    lines = (DATA / "slim_mobile_variables.tsv").read_text(encoding="utf-8").splitlines()
    variables = {name: shape for name, shape, _ in (line.split("\t") for line in lines)}
    network = create_model("pnasnet5_mobile", num_classes=1001, auxiliary=True, image_size=224)
    state = network.state_dict()
    names = {name: state[key].shape for key, name in slim_names(network).items()}
    assert names.keys() == {name for name in variables if name != "global_step"}
    for name, shape in names.items():
        sizes = [int(size) for size in variables[name].split("x")]
        if name.endswith("depthwise_weights"):
            sizes = [sizes[2], 1, *sizes[:2]]
        elif len(sizes) == 4:
            sizes = [sizes[3], sizes[2], *sizes[:2]]
        assert list(shape) == (sizes[::-1] if len(sizes) == 2 else sizes)


def test_how_fast_averages_move_is_no_part_of_the_weights(tmp_path: Path) -> None:
    save_weights(cifar_network(PNASNET_5, 4, 1), tmp_path / "weights.safetensors")
    network = cifar_network(PNASNET_5, 4, 1, batch_norm=BatchNorm(eps=1e-5, decay=0.99))
    load_weights(network, tmp_path / "weights.safetensors")
    with pytest.raises(ModelError, match=r"are of a network with batch_norm \{'eps': 1e-05"):
        load_weights(
            cifar_network(PNASNET_5, 4, 1, batch_norm=BatchNorm(eps=1e-3, decay=0.9)), tmp_path / "weights.safetensors"
        )
