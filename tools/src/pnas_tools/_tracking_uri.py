"""Where people look for their runs in MLflow."""

import shlex
from pathlib import Path

from pnas_tools._errors import BadInput


def local_store(run: Path) -> str:
    """The MLflow store that runs in one folder share when `MLFLOW_TRACKING_URI` names no other.

    Raises:
        BadInput: its path means something else in an address.
    """
    path = (run.absolute().parent / "mlflow.db").as_posix()
    if set(path) & set("?#%"):
        raise BadInput(
            f"MLflow cannot keep runs beside {run}, as the path of that folder has one of ? # %: choose another --out, "
            "or pass --no-track"
        )
    return f"sqlite:///{path}"


def where_to_look(uri: str) -> str:
    """The address of a server, or the command that shows a local store."""
    from_here = uri.replace(f"{Path.cwd().as_posix()}/", "")
    return f"mlflow ui --backend-store-uri {shlex.quote(from_here)}" if uri.startswith("sqlite:") else uri
