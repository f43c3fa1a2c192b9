import hashlib
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from pnas_search import Ledger, LedgerError
from pnas_tools._errors import BadInput
from pnas_tools._files import LEDGER_FILE

_DIGEST = re.compile(r"@([0-9a-f]{12})$")


@dataclass(frozen=True, kw_only=True)
class PriorRun:
    """An earlier run whose accuracies a surrogate learns from.

    Attributes:
        path: of its folder.
        digest: of what it holds, where that is known.
    """

    path: str
    digest: str | None = None

    @classmethod
    def of(cls, text: str) -> Self:
        """The run that `PATH` or `PATH@DIGEST` names."""
        digest = _DIGEST.search(text)
        if digest is None:
            return cls(path=text)
        return cls(path=text[: digest.start()], digest=digest[1])

    def __str__(self) -> str:
        return self.path if self.digest is None else f"{self.path}@{self.digest}"

    def accuracies(self) -> dict[str, float]:
        """The accuracy of every cell that it has trained, by its key.

        Raises:
            BadInput: there is no run, it cannot be read, or it is not the one that is meant.
        """
        accuracies = self._read()
        if not accuracies:
            raise BadInput(f"{self.path} has trained no cell yet: wait for it, or leave it out of --prior-runs")
        if self.digest not in (None, digest_of(accuracies)):
            raise BadInput(
                f"{self.path} has gone on since: expected {self.digest}, got {digest_of(accuracies)}; "
                "leave out the digits after @ in a new search"
            )
        return accuracies

    def _read(self) -> dict[str, float]:
        try:
            with Ledger.read(Path(self.path) / LEDGER_FILE) as ledger:
                rows = ledger.rows()
        except LedgerError as error:
            raise BadInput(str(error)) from error
        return {
            row.candidate.cell.key: row.outcome.accuracy
            for row in rows
            if row.candidate.fidelity == 1 and row.outcome is not None and row.outcome.accuracy is not None
        }


def digest_of(accuracies: dict[str, float]) -> str:
    """Twelve digits that other accuracies do not have."""
    text = "\n".join(f"{key} {accuracy!r}" for key, accuracy in sorted(accuracies.items()))
    return hashlib.sha256(text.encode()).hexdigest()[:12]
