from pnas_search._errors import SearchError


def check_positive(**values: int) -> None:
    """Refuse numbers below 1, by their names."""
    for name, value in values.items():
        if value < 1:
            raise SearchError(f"{name} must be 1 or more, not {value!r}")
