class SearchError(Exception):
    """A search that cannot start or go on; the message says what was expected, what came, and the way out."""


class LedgerError(SearchError):
    """A ledger that cannot be read or written, or that is not this search's."""


class DamagedLedgerError(LedgerError):
    """A ledger whose file does not hold what it should."""
