"""The final training of a network, from what is asked for to a file of weights."""
