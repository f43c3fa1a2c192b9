import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

from pnas_searchspace import Cell, CellSpace
from pnas_tools._cli import cli

PNAS_TOOLS = Path(sys.executable).with_name("pnas-tools")


def run(*arguments: str) -> Result:
    return CliRunner().invoke(cli, ["space", *arguments])


@pytest.mark.parametrize(
    ("arguments", "count"),
    [
        ("--blocks 1", "136"),
        ("--blocks 5 --up-to isomorphism", "3147356952080"),
        ("--blocks 5 --up-to nothing", "556627761561600"),
        ("--blocks 2 --up-to commutativity", "40800"),
        ("--blocks 1 --pairs", str(136**2)),
        ("--blocks 1 --operations a,b,c --inputs 1", "6"),
    ],
)
def test_count_prints_one_integer(arguments: str, count: str) -> None:
    done = run("count", *arguments.split())
    assert (done.exit_code, done.stdout, done.stderr) == (0, f"{count}\n", "")


def test_count_prints_integers_that_python_does_not_print_by_itself() -> None:
    done = run("count", "--blocks", "800", "--up-to", "nothing")
    assert done.exit_code == 0
    assert len(done.stdout) > 4300
    with pytest.raises(ValueError, match="4300 digits"):
        str(10**5000)  # the limit is as it was


def test_sample_prints_a_json_cell_a_line_and_the_seed_decides_which() -> None:
    done = run("sample", "--blocks", "5", "--size", "3", "--seed", "4")
    space = CellSpace()
    expected = space.to_cells(space.sample(5, 3, np.random.default_rng(4)))
    lines = done.stdout.splitlines()
    assert [json.loads(line) for line in lines] == [json.loads(cell.to_json()) for cell in expected]
    assert all(str(Cell.from_json(line)) == Cell.from_json(line).key for line in lines)
    assert run("sample", "--blocks", "5", "--size", "3", "--seed", "5").stdout != done.stdout


def test_the_short_form_can_be_printed_and_is_taken_back() -> None:
    (text,) = run("sample", "--blocks", "4", "--text").stdout.splitlines()
    (as_json,) = run("sample", "--blocks", "4").stdout.splitlines()
    assert Cell.from_text(text) == Cell.from_json(as_json)
    for cell in (text, as_json):
        assert run("canonical", cell).stdout == f"{as_json}\n"
        assert run("canonical", cell, "--text").stdout == f"{text}\n"


def test_canonical_prints_what_all_encodings_of_a_cell_share() -> None:
    for cell in ("b@-1+a@-2,a@-2+a@-2", "a@-2+a@-2,a@-2+b@-1", '[[-2,"a",-2,"a"],[-1,"b",-2,"a"]]'):
        assert run("canonical", cell, "--text").stdout == "a@-2+a@-2,a@-2+b@-1\n"


def test_neighbors_prints_the_cells_of_one_change() -> None:
    done = run("neighbors", "a@-2+b@-1", "--operations", "b,a", "--text")
    assert done.stdout.splitlines() == ["a@-2+b@-2", "a@-2+a@-1", "b@-2+b@-1", "a@-1+b@-1"]
    with_another_input = run("neighbors", "a@-2+b@-1", "--operations", "b,a", "--inputs", "3", "--text")
    assert set(done.stdout.splitlines()) < set(with_another_input.stdout.splitlines())


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["count", "--blocks", "0"], "0 is not in the range x>=1"),
        (["count", "--blocks", "2", "--operations", "a,a"], "every operation may be named once, and a,a repeats one"),
        (["count", "--blocks", "2", "--operations", "a b"], "an operation must be a name of letters"),
        (["sample", "--blocks", "2", "--size", "-1"], "-1 is not in the range x>=0"),
        (["canonical", "a@-1"], "block 0 must be like sep_conv_5x5@-2+identity@0"),
        (["canonical", "[[-1]]"], "block 0 must be (input_1, operation_1, input_2, operation_2), not [-1]"),
        (["sample", "--blocks", "6", "--inputs", "999999999"], "need more than 64 bits"),
        (["neighbors", "mine@-1+mine@-1"], "block 0 applies 'mine', which is not an operation of this space"),
        (["neighbors", "identity@-3+identity@-1"], "block 0 reads input -3; in this space the farthest is -2"),
    ],
)
def test_bad_input_is_one_sentence_and_exit_code_2(arguments: list[str], message: str) -> None:
    done = run(*arguments)
    assert done.exit_code == 2
    assert message in done.stderr
    assert done.stdout == ""


def test_a_reader_that_has_had_enough_ends_the_output_quietly() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "wb") as closed:
        done = subprocess.run(
            [PNAS_TOOLS, "space", "sample", "--blocks", "2", "--size", str(10**24)],
            stdout=closed,
            stderr=subprocess.PIPE,
            check=False,
        )
    assert (done.returncode, done.stderr) == (1, b"")
