import json
import subprocess
import sys

from pnas_tools._run_folder import RunFolder


class MlflowTracker:
    """Copies a search from its ledger to MLflow, in a process of its own, so that people can look there.

    The ledger is where the search remembers; this only reads it. Whatever goes wrong with MLflow, the search goes on,
    and `finish` says in a sentence what happened. A search that is killed leaves a process that sends what is in the
    ledger, and ends.

    Args:
        run: the folder of the search; `mlflow.json` in it remembers the MLflow run, for when the search is resumed.
        uri: of the tracking server or store.
    """

    def __init__(self, run: RunFolder, uri: str) -> None:
        self._run = run
        self.uri = uri
        self._process: subprocess.Popen[str] | None = None

    def start(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "pnas_tools._tracking", str(self._run.path), self.uri],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,  # MLflow's libraries talk there; what goes wrong comes on stdout
            text=True,
            start_new_session=True,  # Ctrl-C is for the search, which then says how it ended
        )

    def finish(self, status: str, *, timeout: float) -> str | None:
        """Send what is missing, for at most `timeout` seconds; give a sentence on what went wrong, if anything did.

        Args:
            status: what MLflow shall say of the run: FINISHED, FAILED or KILLED.
            timeout: in seconds.
        """
        assert self._process is not None  # it was started
        problem = _end(self._process, status, timeout)
        if problem is None:
            return None
        return (
            f"MLflow at {self.uri} did not take everything ({problem}); {self._run.path} holds all of it, "
            f"and `pnas-tools sync {self._run.path}` sends the rest"
        )


def _end(process: subprocess.Popen[str], status: str, timeout: float) -> str | None:
    """Tell the process how the search ended; give its last problem, or that it has none."""
    try:
        output, _ = process.communicate(f"{status}\n", timeout)
    except subprocess.TimeoutExpired:
        process.kill()
        output, _ = process.communicate()
        lines = output.splitlines() or [json.dumps(f"it was not ready within {timeout:.0f} s")]
    else:
        lines = output.splitlines() or [json.dumps(f"its process ended with {process.returncode}")]
    problem: str | None = json.loads(lines[-1])
    return problem
