"""What `pnas-tools show` is asked to show."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pnas_search import LedgerError
from pnas_searchspace import Cell, SearchSpaceError
from pnas_tools._drawing import Scene, Stage, beside, cell_scene, network_scene
from pnas_tools._errors import BadInput
from pnas_tools._run_folder import RunFolder
from pnas_tools._status import read_status
from pnas_tools._training._folder import TrainingFolder

if TYPE_CHECKING:  # importing torch takes seconds, and a cell is drawn without it
    from pnas_models import CellNetwork, WeightFile

    KeepOpen = Callable[[AbstractContextManager[WeightFile]], WeightFile]


@dataclass(frozen=True, kw_only=True)
class DrawnCell:
    """A cell by the name that it has in its network, and what of it makes up its output."""

    name: str
    cell: Cell
    concat: tuple[int, ...]


@dataclass(frozen=True, kw_only=True)
class Shown:
    """The cells of what was asked for, and the stages of the network where there is one."""

    name: str
    cells: tuple[DrawnCell, ...]
    stages: tuple[Stage, ...] = ()

    def scene(self) -> Scene:
        """The cells and the network side by side; a cell alone as it is."""
        scenes = [(drawn.name, cell_scene(drawn.cell, drawn.concat, str(drawn.cell))) for drawn in self.cells]
        if not self.stages:
            return scenes[0][1]
        return beside([*scenes, ("network", network_scene(self.stages, self.name))], self.name)

    def as_json(self) -> dict[str, Any]:
        """As plain data; `cells` are all, and `cell` is the first."""
        first = self.cells[0].cell
        return {
            "name": self.name,
            "cell": first,
            "text": str(first),
            "key": first.key,
            "n_blocks": len(first),
            "cells": [{"name": drawn.name, "cell": drawn.cell, "concat": drawn.concat} for drawn in self.cells],
            "network": [
                {"label": stage.label, "n_repeats": stage.n_repeats, "note": stage.note} for stage in self.stages
            ],
        }


def shown(text: str, options: dict[str, Any], image_size: int | None, keep_open: "KeepOpen") -> Shown:
    """What a text stands for: a cell, a network of the zoo, a file of weights, or the folder of a run.

    Raises:
        BadInput: it is none of them, or an option does not go with it.
    """
    path = Path(text)
    if text and (trained := TrainingFolder(path).network).is_file():
        return _of_network(str(trained), options, image_size, keep_open)
    if text and path.is_dir() and not any(path.glob("*.index")):
        return _of_run(path, options, image_size)
    has_options = image_size is not None or any(value is not None for value in options.values())
    cell = None if has_options else _cell_in(text)
    if cell is not None:
        return Shown(name=str(cell), cells=(_plain(cell),))
    return _of_network(text, options, image_size, keep_open)


def _cell_in(text: str) -> Cell | None:
    """The cell that a text spells out; None where it spells no cell."""
    is_json = text.lstrip().startswith("[")
    if not is_json and ("@" not in text or Path(text).exists()):
        return None
    try:
        return Cell.from_json(text) if is_json else Cell.from_text(text)
    except SearchSpaceError as error:
        raise BadInput(str(error)) from error


def _of_run(path: Path, options: dict[str, Any], image_size: int | None) -> Shown:
    given = [name for name, value in options.items() if value is not None]
    if given:
        raise BadInput(
            f"--{given[0].removeprefix('n_')} is of the network around a CELL, and {path} is a run with a network"
        )
    try:
        best = read_status(RunFolder(path))["best_cell"]
        ledger = RunFolder(path).open_for_reading()
        if best is None or ledger is None:
            raise BadInput(f"{path} has no trained child yet: wait for the first, or pass another run")
        with ledger:
            config = ledger.config()
    except LedgerError as error:
        raise BadInput(str(error)) from error

    import torch

    from pnas_models import cifar_network
    from pnas_tools._network_stages import network_stages

    cell = Cell(best)
    with torch.device("meta"):
        network = cifar_network(cell, config["n_filters"], config["n_repeats"], num_classes=0)
    size = image_size or config.get("crop_to") or config.get("upsample_to") or config.get("shrink_to")
    # How many classes there are, the images alone tell.
    stages = (*network_stages(network, size), Stage(label="softmax"))
    return Shown(name=f"the best cell of {path}", cells=(_plain(cell),), stages=stages)


def _of_network(text: str, options: dict[str, Any], image_size: int | None, keep_open: "KeepOpen") -> Shown:
    from pnas_models import ModelError
    from pnas_tools._network_choice import choose_network
    from pnas_tools._network_stages import network_stages

    try:
        choice = choose_network(text, options, keep_open)
    except ModelError as error:
        raise BadInput(str(error)) from error
    stages = network_stages(choice.empty, image_size or choice.image_size)
    return Shown(name=choice.name, cells=_cells(choice.empty), stages=tuple(stages))


def _cells(network: "CellNetwork") -> tuple[DrawnCell, ...]:
    config = network.config
    cells = [_concatenated("cell", config["cell"], config["concat"])]
    if config["reduction_cell"] is not None:
        cells.append(_concatenated("reduction cell", config["reduction_cell"], config["reduction_concat"]))
    return tuple(cells)


def _concatenated(name: str, blocks: list[list[Any]], concat: list[int] | None) -> DrawnCell:
    return DrawnCell(name=name, cell=Cell(blocks), concat=tuple(range(len(blocks)) if concat is None else concat))


def _plain(cell: Cell) -> DrawnCell:
    return DrawnCell(name="cell", cell=cell, concat=tuple(range(len(cell))))
