import numpy as np
import torch
from torch import Tensor

from pnas_surrogate._base import Arrays, Floats, Predictor
from pnas_surrogate._gaussian_process._features import KernelName, features
from pnas_surrogate._gaussian_process._kernel import Kernel, most_likely
from pnas_surrogate._gaussian_process._posterior import Posterior
from pnas_surrogate._gaussian_process._warp import Warp
from pnas_surrogate._parameters import check_integers
from pnas_surrogate._sequences import Tokens, pack
from pnas_surrogate._spec import SequenceSpec


class GaussianProcess(Predictor):
    """An exact Gaussian process over token sequences: the paper names one as future work.

    Scores are warped to be about normal, sequences compared by what they hold, and everything that is to be set found
    by maximizing the likelihood of the scores. Predictions are medians; standard deviations are those of a score that
    would be measured, its noise included. What no sample held counts as one and the same unknown thing, unlike all
    others.

    Fitting takes time with the cube of the number of samples, predicting with the square where standard deviations are
    asked for.

    Args:
        spec: what the positions of a sequence mean.
        kernel: what sequences are compared by. "string" takes no notice of groups but as steps: tokens, tokens at their
            places, and which come after which; "groups" compares what the groups hold, in whichever order they are;
            "both" is their sum.
        n_likelihood_samples: samples that the likelihood is maximized on at most, drawn at random; the prediction
            takes all.
        max_iterations: steps of L-BFGS at most.
        random_state: which samples are drawn.
    """

    def __init__(
        self,
        spec: SequenceSpec,
        *,
        kernel: KernelName = "both",
        n_likelihood_samples: int = 512,
        max_iterations: int = 60,
        random_state: int = 0,
    ) -> None:
        self.spec = spec
        self.kernel = kernel
        self.n_likelihood_samples = n_likelihood_samples
        self.max_iterations = max_iterations
        self.random_state = random_state

    def _fit(self, tokens: Tokens, y: Floats) -> None:
        check_integers(self, n_likelihood_samples=1, max_iterations=1, random_state=0)
        warp = Warp.of(y)
        scores = warp.apply(y)
        kernel = Kernel(features(tokens, self.spec, self.kernel))
        drawn = np.random.default_rng(self.random_state).permutation(len(y))[: self.n_likelihood_samples]
        parameters = most_likely(kernel, kernel.inputs(tokens[drawn]), scores[drawn], self.max_iterations)
        self._condition(kernel, warp, parameters, tokens, scores)

    def _predict(self, tokens: Tokens, return_std: bool) -> tuple[Floats, Floats]:
        mean, std = self.posterior_.predict(tokens, return_std)
        return self.warp_.undo(mean), self.warp_.undo_std(mean, std)

    def _state(self) -> Arrays:
        return {
            "tokens": self.tokens_,
            "scores": self.scores_,
            "parameters": self.parameters_.numpy(),
            "warp": self.warp_.to_array(),
        }

    def _restore(self, state: Arrays) -> None:
        tokens = state["tokens"]
        pack(tokens.reshape(len(tokens), -1), self.spec)  # raises where they are none of the spec's
        kernel = Kernel(features(tokens, self.spec, self.kernel))
        parameters = torch.from_numpy(state["parameters"])
        self._condition(kernel, Warp.from_array(state["warp"]), parameters, tokens, state["scores"])

    def _condition(self, kernel: Kernel, warp: Warp, parameters: Tensor, tokens: Tokens, scores: Floats) -> None:
        self.warp_ = warp
        self.parameters_ = parameters
        self.tokens_, self.scores_ = tokens, scores
        self.posterior_ = Posterior(kernel, parameters, tokens, scores)
