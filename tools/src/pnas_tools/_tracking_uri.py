"""Where people look for their runs in MLflow."""

from pathlib import Path


def local_store(run: Path) -> str:
    """The MLflow store that runs in one folder share when `MLFLOW_TRACKING_URI` names no other."""
    return f"sqlite:///{(run.absolute().parent / 'mlflow.db').as_posix()}"


def where_to_look(uri: str) -> str:
    """The address of a server, or the command that shows a local store."""
    from_here = uri.replace(f"{Path.cwd().as_posix()}/", "")
    return f"mlflow ui --backend-store-uri {from_here}" if uri.startswith("sqlite:") else uri
