"""What can be chosen of strategies, by name; what these are is not imported before it is needed."""

STRATEGIES = ("progressive", "random", "reinforce", "evolution", "mcts", "local")
ACQUISITIONS = ("mean", "ucb", "ei", "thompson")
COSTS = ("params", "multiply-adds", "latency")

OWNERS = {
    "round_size": tuple(name for name in STRATEGIES if name != "progressive"),
    "population_size": ("evolution",),
    "tournament_size": ("evolution",),
    "policy_gradient": ("reinforce",),
    "acquisition": ("progressive",),
    "exploration": ("progressive",),
    "beam_range": ("progressive",),
    "trade_off": ("progressive",),
    "prior_runs": ("progressive",),
    "warm_start": ("progressive",),
    "surrogate": ("progressive",),
    "n_members": ("progressive",),
    "surrogate_epochs": ("progressive",),
    "surrogate_batch_size": ("progressive",),
    "surrogate_first_learning_rate": ("progressive",),
    "surrogate_learning_rate": ("progressive",),
}
"""Settings that mean something to these strategies alone."""
