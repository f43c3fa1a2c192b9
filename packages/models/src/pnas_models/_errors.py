class ModelError(ValueError):
    """What was asked for cannot be built; the message says what was expected, what came, and the way out."""
