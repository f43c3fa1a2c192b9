"""The process that copies a search to MLflow while it runs: `python -m pnas_tools._tracking RUN URI`.

A line on stdin says how the search ended, and the end of stdin that it was killed. A line on stdout, as JSON, says
what MLflow did not take, and `null` that it has everything.
"""

import json
import sys
from pathlib import Path

from pnas_tools._run_folder import RunFolder
from pnas_tools._tracking._end import End
from pnas_tools._tracking._follow import follow


def main(run: str, uri: str) -> None:
    end = End()
    end.listen(sys.stdin)
    told, sys.stdout = sys.stdout, sys.stderr  # where MLflow may print what it likes
    for problem in follow(RunFolder(Path(run)), uri, end):
        print(json.dumps(problem), file=told, flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
