import io

import pytest

from pnas_tools._tracking._end import End


@pytest.mark.parametrize(("lines", "status"), [("FINISHED\n", "FINISHED"), ("", "KILLED")])
def test_the_end_comes_with_a_line_and_with_the_last_of_lines(lines: str, status: str) -> None:
    end = End()
    end.listen(io.StringIO(lines))
    assert end.wait(10)
    assert end.status == status
