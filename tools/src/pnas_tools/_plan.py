"""What a search will train, as far as that is known before it."""

from dataclasses import dataclass

from pnas_searchspace import CellSpace
from pnas_tools._config import SearchConfig


@dataclass(frozen=True, kw_only=True)
class Level:
    """What is planned of children that are alike in size and in how long they are trained.

    Attributes:
        n_blocks: of their cells.
        fidelity: how many times as long as usual they are trained.
        n_children: how many are planned.
        is_one_round: whether a single round has all of them, and so says how many they are.
    """

    n_blocks: int
    n_children: int
    fidelity: int = 1
    is_one_round: bool = True


def budget(config: SearchConfig, space: CellSpace) -> int:
    """How many cells a search trains: as many as it is told, or as `progressive` would."""
    if config.n_models is not None:
        return config.n_models
    return len(space.one_block_cells()) + config.beam_size * (config.n_blocks - 1)


def planned_levels(config: SearchConfig, space: CellSpace) -> list[Level]:
    """What a search will train, as far as that is known before it."""
    left = budget(config, space)
    if config.strategy != "progressive":
        levels = [Level(n_blocks=config.n_blocks, n_children=left, is_one_round=False)]
    else:
        levels = []
        for n_blocks in range(1, config.n_blocks + 1):
            size = min(left, len(space.one_block_cells()) if n_blocks == 1 else config.beam_size)
            if size:
                levels.append(Level(n_blocks=n_blocks, n_children=size))
            left -= size
    if config.n_reranked:
        longer = Level(n_blocks=config.n_blocks, n_children=config.n_reranked, fidelity=config.rerank_fidelity)
        levels.append(longer)
    return levels
