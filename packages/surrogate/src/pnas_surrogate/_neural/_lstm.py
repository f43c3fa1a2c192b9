from pnas_surrogate._neural._lstm_network import LSTMNetwork
from pnas_surrogate._neural._predictor import NetworkPredictor
from pnas_surrogate._spec import SequenceSpec


class LSTMPredictor(NetworkPredictor):
    """The paper's recurrent network (sections 4.2 and 5.1).

    Every token is embedded, an LSTM of one layer reads the embeddings one by one, and a linear layer and a sigmoid
    follow its last hidden state. L1 loss, Adam. A token that no sample held stands for the average of those of its kind
    that did.

    Args:
        spec: what the positions of a sequence mean.
        embedding_size: D of a token.
        hidden_size: units of the LSTM.
        learning_rate: Adam's; None is the paper's 0.01 where all samples have one group, and 0.002 otherwise.
        n_epochs: passes over the samples; the paper does not say.
        batch_size: samples in a step at most; the paper does not say.
        initial_bias: of the linear layer; 1.8 is 0.86 after the sigmoid, which the mean score is mapped to.
        embedding_range: embeddings start uniform in [-embedding_range, embedding_range].
        warm_start: whether fitting again goes on from the weights that there are, which the paper tries too.
        random_state: of the initial weights and the order of the samples.
    """

    _network_class = LSTMNetwork

    def __init__(
        self,
        spec: SequenceSpec,
        *,
        embedding_size: int = 100,
        hidden_size: int = 100,
        learning_rate: float | None = None,
        n_epochs: int = 20,
        batch_size: int = 32,
        initial_bias: float = 1.8,
        embedding_range: float = 0.1,
        warm_start: bool = False,
        random_state: int = 0,
    ) -> None:
        self.spec = spec
        self.embedding_size = embedding_size
        self.hidden_size = hidden_size
        self.learning_rate = learning_rate
        self.n_epochs = n_epochs
        self.batch_size = batch_size
        self.initial_bias = initial_bias
        self.embedding_range = embedding_range
        self.warm_start = warm_start
        self.random_state = random_state
