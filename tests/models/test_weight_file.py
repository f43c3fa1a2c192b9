import tarfile
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from pnas_models import (
    PNASNET_5,
    ModelError,
    cifar_network,
    create_model,
    empty_network,
    fill_network,
    open_weights,
    save_weights,
)
from pnas_models._checkpoints._sources import timm_names

DATA = Path(__file__).parent / "data"


def test_a_file_of_ours_says_its_network(tmp_path: Path) -> None:
    network = cifar_network(PNASNET_5, 4, 1, 3, drop_path_rate=0.2).eval()
    save_weights(network, tmp_path / "network.safetensors")
    with open_weights(tmp_path / "network.safetensors") as file:
        assert (file.source, file.num_classes, file.has_auxiliary, file.model) == ("pnas", 3, False, None)
        empty = empty_network(file)
        assert all(parameter.is_meta for parameter in empty.parameters())
        fill_network(empty, file)
    images = torch.randn(2, 3, 12, 12)
    assert torch.equal(empty.eval()(images), network(images))
    assert all(parameter.requires_grad for parameter in empty.parameters())
    assert empty.train()(images).isfinite().all()  # drop path has its progress


@pytest.mark.parametrize(("num_classes", "source"), [(1000, "timm"), (1001, "cadene")])
def test_other_names_tell_the_source_and_the_classifier_the_network(
    num_classes: int, source: str, tmp_path: Path
) -> None:
    network = create_model("pnasnet5_mobile", num_classes=num_classes)
    state = network.state_dict()
    save_file({name: state[key] for key, name in timm_names(network).items()}, tmp_path / "weights.safetensors")
    with open_weights(tmp_path / "weights.safetensors") as file:
        assert (file.source, file.num_classes, file.model) == (source, num_classes, "pnasnet5_mobile")
        without_background = empty_network(file, num_classes=1000)
        fill_network(without_background, file)
    assert torch.equal(without_background.classifier.bias, network.classifier.bias[-1000:])


def test_tensorflows_archive_is_unpacked_for_as_long_as_it_is_open(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "checkpoint.tar.gz", "w:gz") as archive:
        for path in DATA.glob("slim_cifar.ckpt.*"):
            archive.add(path, path.name)
    with open_weights(tmp_path / "checkpoint.tar.gz") as file:
        assert (file.source, file.num_classes, file.num_features) == ("tensorflow", 7, 100)
        assert file.readable.is_dir()
        with pytest.raises(ModelError, match=r"reads 100 features, and those of the zoo 960 \(pnasnet5_cifar\)"):
            empty_network(file)
        network = cifar_network(PNASNET_5, 5, 1, 7)
        fill_network(network, file)
    assert not file.readable.exists()


def test_what_the_file_does_not_have_is_refused(tmp_path: Path) -> None:
    save_weights(cifar_network(PNASNET_5, 4, 1, 3), tmp_path / "network.safetensors")
    with open_weights(tmp_path / "network.safetensors") as file:
        with pytest.raises(ModelError, match="has 3 classes, and 2 cannot be had from it"):
            empty_network(file, num_classes=2)
        with pytest.raises(ModelError, match="has no auxiliary head that could be kept"):
            empty_network(file, auxiliary=True)
    with (
        pytest.raises(ModelError, match=r"are those of pnas, and not of tensorflow|no .*index"),
        open_weights(tmp_path / "network.safetensors", "tensorflow"),
    ):
        pytest.fail("it was opened")
    save_file({"weight": torch.zeros(1)}, tmp_path / "other.safetensors")
    with (
        pytest.raises(ModelError, match="has no classifier under a name that is known here"),
        open_weights(tmp_path / "other.safetensors"),
    ):
        pytest.fail("it was opened")
