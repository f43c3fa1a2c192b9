import json

from pnas_tools._provenance import provenance


def test_a_result_can_say_what_it_depends_on() -> None:
    found = provenance()
    assert json.loads(json.dumps(found)) == found
    assert found["versions"]["torch"]
    assert found["versions"]["pnas-tools"]
    assert found["git_revision"] is None or len(found["git_revision"].removesuffix("-dirty")) == 40
