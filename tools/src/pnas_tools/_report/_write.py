from pathlib import Path

from pnas_tools._files import write_text_atomically
from pnas_tools._report._page import make_page
from pnas_tools._report._search_data import SearchData
from pnas_tools._run_folder import RunFolder


def write_report(run: RunFolder, file: Path) -> int:
    """Write the page about a search; give the number of its children.

    Raises:
        BadInput: there is no run.
        LedgerError: its ledger cannot be read.
    """
    search = SearchData.read(run)
    write_text_atomically(file, make_page(search))
    return len(search.children)
