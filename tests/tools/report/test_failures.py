# mypy: disable-error-code=no-untyped-def
from pnas_tools._report._failures import failures, failures_message


def test_children_that_failed_alike_are_together(make_child, make_search) -> None:
    timed_out = {"status": "timed_out", "accuracy": None, "message": "it took too long"}
    search = make_search(
        make_child(0, status="crashed", accuracy=None, message="exit code 9"),
        make_child(1, **timed_out),
        make_child(2),
        make_child(3, **timed_out),
    )
    assert [(failure.how, [child.index for child in failure.children]) for failure in failures(search)] == [
        ("timed out", [1, 3]),
        ("crashed", [0]),
    ]
    assert failures_message(search) == "3 of 4 children failed."


def test_stopped_and_waiting_children_have_not_failed(make_child, make_search) -> None:
    search = make_search(make_child(0, status="stopped"), make_child(1, status="waiting", accuracy=None))
    assert failures(search) == []
    assert failures_message(search) == "No child failed; 1 stopped early, for falling behind."
