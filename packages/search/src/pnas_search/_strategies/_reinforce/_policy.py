import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from pnas_search._strategies._reinforce._config import ReinforceConfig
from pnas_searchspace import CellSpace

# Not an infinity, so that zero times the logarithm is zero, and has a gradient.
_IMPOSSIBLE = -1e9


class Policy(nn.Module):
    """Spells cells of one size, I1 O1 I2 O2 for every block, as `CellSpace.decode` reads them.

    An LSTM reads the token before, or at first one that stands for the start, and a head for each kind of token says
    how probable every next one is. An input can only be one that its block may read.
    """

    def __init__(self, space: CellSpace, n_blocks: int, config: ReinforceConfig, rng: np.random.Generator) -> None:
        super().__init__()
        n_inputs, n_operations = space.vocabulary(n_blocks).values()
        # PyTorch's own first weights are drawn from its global generator; ours come below.
        with torch.random.fork_rng(devices=[]):
            self.embedding = nn.Embedding(n_inputs + n_operations + 1, config.embedding_size)
            self.lstm = nn.LSTM(config.embedding_size, config.hidden_size, batch_first=True)
            self.heads = nn.ModuleList(nn.Linear(config.hidden_size, n) for n in (n_inputs, n_operations))
        for weight in self.parameters():
            drawn = rng.uniform(-config.initial_range, config.initial_range, weight.shape)
            weight.data = torch.from_numpy(drawn).float()
        self._start = n_inputs + n_operations
        self._first_rows = torch.tensor([0, n_inputs] * 2 * n_blocks)
        self._n_choices = [n for block in range(n_blocks) for n in 2 * (space.n_cell_inputs + block, n_operations)]
        self._masks = [_mask(self._n_choices[0::2], n_inputs), _mask(self._n_choices[1::2], n_operations)]

    @torch.inference_mode()
    def sample(self, uniforms: NDArray[np.float64]) -> NDArray[np.int64]:
        """The spellings that numbers in [0, 1) choose, one for each token; both `(N, 4 * n_blocks)`."""
        numbers = torch.from_numpy(uniforms)
        tokens = torch.empty(numbers.shape, dtype=torch.int64)
        rows, state = torch.full((len(numbers), 1), self._start), None
        for place, n_choices in enumerate(self._n_choices):
            hidden, state = self.lstm(self.embedding(rows), state)
            scores = self.heads[place % 2](hidden[:, 0]) + self._masks[place % 2][place // 2]
            up_to = scores.double().softmax(1).cumsum(1)
            # All together may be a little less than 1, and what is missing is the last one's.
            tokens[:, place] = (up_to <= numbers[:, place, None]).sum(1).clamp(max=n_choices - 1)
            rows = tokens[:, place, None] + self._first_rows[place]
        return tokens.numpy()

    def forward(self, tokens: Tensor) -> tuple[Tensor, Tensor]:
        """Of spellings `(N, 4 * n_blocks)` every token's log-probability, and the entropy of its choice, likewise."""
        rows = torch.full_like(tokens, self._start)
        rows[:, 1:] = (tokens + self._first_rows)[:, :-1]
        hidden, _ = self.lstm(self.embedding(rows))
        chosen, entropies = [], []
        for kind, head in enumerate(self.heads):
            log_probabilities = (head(hidden[:, kind::2]) + self._masks[kind]).log_softmax(2)
            chosen.append(log_probabilities.gather(2, tokens[:, kind::2, None])[:, :, 0])
            entropies.append(-(log_probabilities.exp() * log_probabilities).sum(2))
        return torch.stack(chosen, 2).flatten(1), torch.stack(entropies, 2).flatten(1)


def _mask(n_choices: list[int], n_tokens: int) -> Tensor:
    """Of every step, `(n_steps, n_tokens)`, what to add to scores so that only so many first tokens can come."""
    can_come = torch.arange(n_tokens) < torch.tensor(n_choices)[:, None]
    return torch.zeros(can_come.shape).masked_fill(~can_come, _IMPOSSIBLE)
