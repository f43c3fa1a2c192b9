"""How often a network is right about the images of a data set."""
