import re

import pytest

from pnas_models import PublishedWeights, list_models, published_weights

ALL = [weights for name in list_models() for weights in published_weights(name)]


@pytest.mark.parametrize("published", ALL, ids=str)
def test_published_weights_say_all_that_is_needed_to_use_them(published: PublishedWeights) -> None:
    weights = published.value
    assert weights.model in list_models()
    assert all(re.match(r"https?://", url) for url in weights.urls)
    assert weights.sha256 is None or re.fullmatch(r"[0-9a-f]{8,64}", weights.sha256)
    assert weights.num_classes in (1000, 1001)
    assert 0 < weights.top_1 < weights.top_5 < 100
    assert weights.license == "Apache-2.0"


def test_cadenes_file_has_its_digest_in_its_name() -> None:
    (cadene,) = [weights.value for weights in ALL if weights.value.source == "cadene"]
    assert cadene.file_name == f"pnasnet5large-{cadene.sha256}.pth"


def test_members_are_as_torchvisions_are() -> None:
    member = ALL[0]
    assert member.url == member.value.urls[0]
    assert member.meta["categories"] == list(member.value.categories)
    assert member.meta["num_params"] == member.value.n_parameters
    assert member.meta["_metrics"] == {"ImageNet-1K": {"acc@1": member.value.top_1, "acc@5": member.value.top_5}}


def test_categories_are_imagenets() -> None:
    categories = ALL[0].value.categories
    assert len(categories) == 1000
    assert (categories[0], categories[-1]) == ("tench", "toilet tissue")
