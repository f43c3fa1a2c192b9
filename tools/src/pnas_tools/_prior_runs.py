from pathlib import Path

from pnas_search import Ledger, LedgerError
from pnas_tools._errors import BadInput
from pnas_tools._files import LEDGER_FILE


def prior_accuracies(run: Path) -> dict[str, float]:
    """The accuracy of every cell that an earlier run has trained for as long as usual, by its key.

    Raises:
        BadInput: there is no run, it cannot be read, or it has trained none.
    """
    try:
        with Ledger.read(run / LEDGER_FILE) as ledger:
            rows = ledger.rows()
    except LedgerError as error:
        raise BadInput(str(error)) from error
    accuracies = {
        row.candidate.cell.key: row.outcome.accuracy
        for row in rows
        if row.candidate.fidelity == 1 and row.outcome is not None and row.outcome.accuracy is not None
    }
    if not accuracies:
        raise BadInput(f"{run} has trained no cell yet: wait for it, or leave it out of --prior-runs")
    return accuracies
