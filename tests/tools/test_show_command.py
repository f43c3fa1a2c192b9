"""What a user of `pnas-tools show` sees."""

import json
import xml.etree.ElementTree as ET
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from PIL import Image

from pnas_models import cifar_network, save_weights
from pnas_search import Ledger
from pnas_searchspace import Cell
from pnas_tools._cli import cli

CELL = "sep_conv_3x3@-2+identity@-1,max_pool_3x3@0+identity@-1"
BLOCKS = [[-2, "sep_conv_3x3", -1, "identity"], [0, "max_pool_3x3", -1, "identity"]]


def run(*arguments: object) -> Result:
    return CliRunner().invoke(cli, ["show", *map(str, arguments)])


def done(*arguments: object) -> str:
    result = run(*arguments)
    assert (result.exit_code, result.stderr) == (0, ""), result.output
    return result.stdout


def refused(*arguments: object) -> str:
    result = run(*arguments)
    assert (result.exit_code, result.stdout) == (2, ""), result.output
    (line,) = [line for line in result.stderr.splitlines() if line.startswith("Error: ")]
    return line


def shown(*arguments: object) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(done(*arguments, "--json"))
    return found


@pytest.fixture(scope="module")
def searched(on_benchmark: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a search that took no time, as a table knows all its cells."""
    return on_benchmark(tmp_path_factory.mktemp("runs") / "run", "--blocks", "1")


def test_a_cell_is_sketched_where_no_file_is_named() -> None:
    assert done(CELL) == (
        "cell\n\n"
        "  -2 -- sep_conv_3x3 --.\n"
        "  -1 -- identity ------+-- 0\n"
        "   0 -- max_pool_3x3 --.\n"
        "  -1 -- identity ------+-- 1\n\n"
        f"  {CELL}\n"
    )


def test_json_tells_the_cell_and_the_network() -> None:
    found = shown(CELL)
    assert (found["cell"], found["text"], found["n_blocks"], found["network"]) == (BLOCKS, CELL, 2, [])
    assert found["key"] == Cell(BLOCKS).key
    assert shown(json.dumps(BLOCKS)) == found
    stages = shown(CELL, "--network", "cifar", "--filters", "8", "--repeats", "2", "--image-size", "20")["network"]
    assert [stage["n_repeats"] for stage in stages] == [1, 1, 2, 1, 1, 1, 1, 1, 1]
    assert stages[2]["note"] == "F = 8: 20×20, 16 channels"


def test_the_ending_says_what_is_written(tmp_path: Path) -> None:
    svg, png = tmp_path / "cell.svg", tmp_path / "cell.png"
    assert done(CELL, "-o", svg) == f"wrote {svg}: {CELL}\n"
    assert shown(CELL, "-o", png)["file"] == str(png)
    drawn = ET.parse(svg).getroot().attrib
    with Image.open(png) as image:
        assert image.size == (2 * float(drawn["width"]), 2 * float(drawn["height"]))


@pytest.mark.parametrize("arguments", [["pnasnet5_mobile"], [CELL, "--network", "imagenet"]], ids=["name", "cell"])
def test_a_network_is_drawn_beside_its_cell(arguments: list[str], tmp_path: Path) -> None:
    done(*arguments, "-o", tmp_path / "network.svg")
    text = (tmp_path / "network.svg").read_text(encoding="utf-8")
    for part in ("H<tspan", "concat", "image", "224×224", "cell, stride 2", "global pooling", "1,000 classes"):
        assert part in text


def test_a_file_of_weights_shows_both_of_its_cells_and_what_they_concatenate(tmp_path: Path) -> None:
    network = cifar_network(BLOCKS, 4, 1, concat=(-2, 1), reduction_cell=BLOCKS[:1])
    save_weights(network, tmp_path / "two.safetensors")
    found = shown(tmp_path / "two.safetensors")
    assert found["cells"] == [
        {"name": "cell", "cell": BLOCKS, "concat": [-2, 1]},
        {"name": "reduction cell", "cell": BLOCKS[:1], "concat": [0]},
    ]
    assert "  concatenated: -2, 1\n" in done(tmp_path / "two.safetensors")


def test_a_run_shows_its_best_cell_in_the_network_of_its_config(searched: Path, tmp_path: Path) -> None:
    result = json.loads((searched / "result.json").read_text(encoding="utf-8"))
    found = shown(searched)
    assert found["cell"] == result["best_cell"]
    assert found["network"][2]["note"].startswith(f"F = {result['config']['n_filters']}: ")
    done(searched, "-o", tmp_path / "run.svg")
    assert "global pooling" in (tmp_path / "run.svg").read_text(encoding="utf-8")


def test_a_run_that_is_not_finished_shows_its_best_cell_so_far(searched: Path, tmp_path: Path) -> None:
    with Ledger.read(searched / "ledger.sqlite") as ledger:
        best = ledger.best_row()
    assert best is not None
    (tmp_path / "ledger.sqlite").write_bytes((searched / "ledger.sqlite").read_bytes())
    assert shown(tmp_path)["cell"] == [list(block) for block in best.candidate.cell]


def test_what_cannot_be_shown_is_told_in_a_sentence(searched: Path, tmp_path: Path) -> None:
    assert "did you mean 'pnasnet5_mobile'?" in refused("pnasnet5_mobil")
    assert "did you mean" not in refused("resnet")
    assert "must be like" in refused("identity@-1")
    assert "holds no run" in refused(Path(__file__).parent)
    assert "ends in .svg or .png" in refused(CELL, "-o", tmp_path / "cell.pdf")
    assert "there is no folder" in refused(CELL, "-o", tmp_path / "missing" / "cell.svg")
    assert "--repeats is of the network around a CELL" in refused(searched, "--repeats", "3")
    assert "--filters is of the network around a CELL" in refused("pnasnet5_mobile", "--filters", "3")


def test_a_run_without_a_trained_child_has_nothing_to_show(tmp_path: Path) -> None:
    config = {"n_filters": 4, "n_repeats": 1}
    Ledger.create(tmp_path / "ledger.sqlite", config=config, provenance={}).close()
    assert "has no trained child yet" in refused(tmp_path)
