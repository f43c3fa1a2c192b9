import json

from rich.console import Console

from pnas_tools._provenance import provenance, warn_of_other_versions


def test_a_result_can_say_what_it_depends_on() -> None:
    found = provenance()
    assert json.loads(json.dumps(found)) == found
    assert found["versions"]["torch"]
    assert found["versions"]["pnas-tools"]
    assert found["git_revision"] is None or len(found["git_revision"].removesuffix("-dirty")) == 40


def warned(versions: dict[str, str | None]) -> str:
    console = Console(width=200)
    with console.capture() as capture:
        warn_of_other_versions({"versions": versions}, console)
    return capture.get()


def test_a_run_that_began_with_other_versions_says_so_and_one_that_recorded_fewer_does_not() -> None:
    versions = provenance()["versions"]
    assert warned(versions) == ""
    assert warned({"torch": versions["torch"]}) == ""
    assert "(torch 1.0 is now " in warned({**versions, "torch": "1.0"})
