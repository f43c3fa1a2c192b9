class TrainerError(ValueError):
    """A data set or a setting that cannot be used; the message says what was expected, what came, and the way out."""
