class SearchSpaceError(ValueError):
    """A cell or a space that cannot exist; the message names the block and the value."""
