# mypy: disable-error-code=no-untyped-def
from pnas_tools._report._settings import settings, versions


def test_settings_that_were_chosen_come_first(make_child, make_search) -> None:
    config = {"dataset": "digits", "flip": False, "seed": 3, "train_images": None, "operations": ["identity", "x"]}
    told = settings(make_search(make_child(0), config=config))
    assert [(setting.name, setting.value, setting.is_default) for setting in told] == [
        ("dataset", "digits", False),
        ("operations", "identity, x", False),
        ("seed", "3", False),
        ("flip", "no", True),
        ("train_images", "none", True),
    ]


def test_versions_are_told_beside_the_platform(make_child, make_search) -> None:
    provenance = {"git_revision": None, "platform": "Linux", "versions": {"numpy": "2.0"}}
    assert versions(make_search(make_child(0), provenance=provenance)) == {
        "git revision": "none",
        "platform": "Linux",
        "numpy": "2.0",
    }
