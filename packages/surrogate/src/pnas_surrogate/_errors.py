class SurrogateError(ValueError):
    """Data or settings that a predictor cannot use; the message names the position and the value."""
