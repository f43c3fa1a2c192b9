"""Whatever is typed, a command line that makes no sense ends in one sentence and exit code 2, never in a traceback."""

import json
import random
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import click
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pnas_tools._cli import cli, main

Answer = Callable[..., tuple[int, str]]

NONSENSE = (
    "",
    " ",
    "-",
    "§",
    "nan",
    "-inf",
    "1e999",
    "0x10",
    "two",
    "99999999999999999999",
    "../..",
    "[[",
    "a=b,c",
    "@+,",
)
NO_SUCH_PATH = "/no/such/folder/file.xyz"


def leaves(group: click.Group, *names: str) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        if isinstance(command, click.Group):
            yield from leaves(command, *names, name)
        else:
            yield (*names, name), command


COMMANDS = dict(leaves(cli))


def is_refused(parameter: click.Parameter, value: str) -> bool:
    """Whether a value is none of the parameter's, so that the command cannot run."""
    try:
        parameter.type.convert(value, parameter, None)
    except click.BadParameter:
        return True
    return False


def bad_options() -> list[list[str]]:
    """Every option of every command with everything that it refuses."""
    return [
        [*names, option.opts[0], value]
        for names, command in COMMANDS.items()
        for option in command.params
        if isinstance(option, click.Option) and not option.is_flag
        for value in NONSENSE
        if is_refused(option, value)
    ]


@pytest.fixture
def answer(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Answer:
    """The exit code of a command line, and what it says on stderr."""

    def call(*arguments: str) -> tuple[int, str]:
        monkeypatch.setattr(sys, "argv", ["pnas-tools", *arguments])
        try:
            main()
        except SystemExit as end:
            code = end.code
        else:
            code = 0
        assert isinstance(code, int)
        return code, capsys.readouterr().err

    return call


def assert_one_sentence(answered: tuple[int, str], arguments: list[str]) -> None:
    code, said = answered
    assert code == 2, (arguments, said)
    assert said.startswith("pnas-tools: "), (arguments, said)
    assert len(said.strip().splitlines()) == 1, (arguments, said)
    assert "Traceback" not in said


def test_every_option_of_every_command_refuses_nonsense_in_one_sentence(answer: Answer) -> None:
    refused = bad_options()
    assert len(refused) > 500
    for arguments in refused:
        assert_one_sentence(answer(*arguments), arguments)


WORDS = st.sampled_from(
    sorted(
        {name for names in COMMANDS for name in names}
        | {option for command in COMMANDS.values() for parameter in command.params for option in parameter.opts}
        | set(NONSENSE)
        | {NO_SUCH_PATH, "identity@-1+identity@-2", "5", "0.5"}
    )
)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from(sorted(COMMANDS)), st.lists(WORDS | st.text(max_size=8), max_size=6))
def test_any_words_with_an_option_that_there_is_not_end_in_one_sentence(
    answer: Answer, names: tuple[str, ...], words: list[str]
) -> None:
    words = [word for word in words if not word.startswith(("--he", "-h", "--version")) and word != "--"]
    # Twice, as the first may be the value of an option before it.
    arguments = [*names, *words, "--no-such-option", "--no-such-option"]
    assert_one_sentence(answer(*arguments), arguments)


def takes_a_run(command: click.Command) -> bool:
    return any(
        isinstance(one, click.Argument) and "RUN" in one.make_metavar(click.Context(command)) for one in command.params
    )


OF_RUNS = [names for names, command in COMMANDS.items() if takes_a_run(command)]


def damaged(folder: Path, kind: str) -> Path:
    """Something that is no run, or one that was cut off or overwritten."""
    run = folder / "run"
    if kind == "missing":
        return run
    if kind == "a file":
        run.write_text("years of work")
        return run
    run.mkdir()
    match kind:
        case "somebody's":
            (run / "thesis.tex").write_text("years of work")
        case "a ledger of text":
            (run / "ledger.sqlite").write_bytes(b"these are not the pages you are looking for" * 100)
        case "a ledger that is a folder":
            (run / "ledger.sqlite").mkdir()
        case "half a ledger":
            (run / "ledger.sqlite").write_bytes(b"SQLite format 3\x00" + bytes(84))
        case "a result of text":
            (run / "result.json").write_text("{")
        case "a result that is a folder":
            (run / "result.json").mkdir()
    return run


@pytest.mark.parametrize("names", OF_RUNS, ids=" ".join)
@pytest.mark.parametrize(
    "kind",
    [
        "missing",
        "a file",
        "somebody's",
        "a ledger of text",
        "a ledger that is a folder",
        "half a ledger",
        "a result of text",
        "a result that is a folder",
    ],
)
def test_what_is_no_run_is_refused_in_one_sentence(
    kind: str, names: tuple[str, ...], answer: Answer, tmp_path: Path
) -> None:
    run = damaged(tmp_path, kind)
    arguments = [*names, str(run)]
    assert_one_sentence(answer(*arguments), arguments)


def without_a_key(content: bytes, rng: random.Random) -> bytes:
    """A file that lacks something, in an object or in one of those in it."""
    if not content.startswith(b"{"):
        return b"{}"
    value = json.loads(content)
    objects = [value, *(x for x in value.values() if isinstance(x, dict)), *value.get("levels", [])]
    some = rng.choice(objects)
    del some[rng.choice(sorted(some))]
    return json.dumps(value).encode()


def damage(file: Path, rng: random.Random) -> str:
    """Do to a file what disks, editors and people do; tell what."""
    content = bytearray(file.read_bytes())
    kind = rng.choice(["cut off", "some bytes changed", "a page of zeros", "another value", "missing", "a folder"])
    match kind:
        case "cut off":
            del content[rng.randrange(len(content)) :]
        case "some bytes changed":
            for _ in range(rng.choice([1, 3, 30, 300])):
                content[rng.randrange(len(content))] = rng.randrange(256)
        case "a page of zeros":
            begin = rng.randrange(len(content))
            content[begin : begin + 4096] = bytes(len(content[begin : begin + 4096]))
        case "another value":
            content = bytearray(rng.choice([b"null", b"[]", b"{}", without_a_key(bytes(content), rng)]))
    file.unlink()
    if kind == "a folder":
        file.mkdir()
    elif kind != "missing":
        file.write_bytes(content)
    return f"{file.name}: {kind}"


@pytest.mark.parametrize("seed", range(100))
def test_of_a_damaged_run_there_is_a_sentence_or_a_result(
    seed: int, answer: Answer, undisturbed: Path, tmp_path: Path
) -> None:
    rng, run = random.Random(seed), tmp_path / "run"
    shutil.copytree(undisturbed, run)
    what = damage(run / rng.choice(["ledger.sqlite", "result.json", "config.json"]), rng)
    command = rng.choice(["status", "report", "show", "train", "evaluate", "export"])
    # A training reads all that it needs of the run before it looks for the device.
    arguments = [command, str(run), *(["--device", "cuda:99"] if command == "train" else [])]
    code, said = answer(*arguments)
    assert code in (0, 2), (what, arguments, said)
    assert code == 0 or len(said.strip().splitlines()) == 1, (what, arguments, said)
