import dataclasses
import os
from pathlib import Path
from typing import Any

import click

from pnas_search import LedgerError
from pnas_tools._errors import BadInput, Failed
from pnas_tools._output import Output, output_options
from pnas_tools._run_folder import RunFolder
from pnas_tools._tracking import in_words, opened_copy, remembered_uri
from pnas_tools._tracking_uri import local_store, where_to_look


@click.command("sync", epilog="Example: pnas-tools sync runs/small")
@click.argument("run", type=click.Path(path_type=Path))
@click.option(
    "--tracking-uri",
    metavar="URI",
    help="Server or store.  [default: MLFLOW_TRACKING_URI, or where the run is, or mlflow.db beside its folder]",
)
@output_options
def sync_command(run: Path, tracking_uri: str | None, output: Output) -> None:
    """Send MLflow what it lacks of the search in the folder RUN, finished or not, tracked before or not.

    What MLflow has is not sent again. A search that is not finished counts there as killed until it goes on.
    """
    folder = RunFolder(run)
    _check(folder)
    environment = os.environ.get("MLFLOW_TRACKING_URI")
    uri = tracking_uri or environment or remembered_uri(folder) or local_store(run)
    sent = _sync(folder, uri)
    output.show(sent, lambda: click.echo(_sentence(run, sent)))


def _check(run: RunFolder) -> None:
    """Raise `BadInput` where there is nothing to send."""
    try:
        ledger = run.open_for_reading()
    except LedgerError as error:
        raise BadInput(str(error)) from error
    if ledger is None:
        raise BadInput(f"the search in {run.path} has not begun yet: wait until it has, and try again")
    ledger.close()
    if run.is_running():
        raise BadInput(
            f"the search in {run.path} is running, and tracks itself unless it was told not to: wait for its end"
        )


def _sync(run: RunFolder, uri: str) -> dict[str, Any]:
    """Send what is missing; give how much that was, and where it is."""
    status = "FINISHED" if run.read_result() is not None else "KILLED"
    # Whatever MLflow or its database raises is a sentence to the user.
    try:
        with opened_copy(run, uri) as copy:
            copy.send_children()
            copy.conclude(status)
    except LedgerError as error:
        raise BadInput(str(error)) from error
    except click.ClickException:
        raise
    except Exception as error:
        if type(error).__name__.startswith("Unsupported"):  # MLflow has one for every kind of store
            raise BadInput(
                f"{uri} is no address of a store of MLflow's: expected such as http://host:5000 or sqlite:///runs/mlflow.db"
            ) from error
        raise Failed(
            f"MLflow at {uri} did not take everything ({in_words(error)}): see whether it runs there, and try again; "
            "what it has is not sent twice"
        ) from error
    return {"tracking_uri": uri, "run_id": copy.run_id, "status": status, **dataclasses.asdict(copy.sent)}


def _sentence(run: Path, sent: dict[str, Any]) -> str:
    counts = [(sent["n_children"], "child", "children"), (sent["n_files"], "file", "files")]
    parts = [f"{count:,} {one if count == 1 else many}" for count, one, many in counts if count]
    told = f"sent {' and '.join(parts)} of {run} to MLflow" if parts else f"MLflow has all of {run}"
    return f"{told}; to look there: {where_to_look(sent['tracking_uri'])}"
