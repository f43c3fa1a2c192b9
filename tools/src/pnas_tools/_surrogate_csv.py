import csv
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from pnas_tools._errors import BadInput

_HEADERS = (["sequence", "score"], ["sequence", "score", "second_score"])


@dataclass(frozen=True, kw_only=True)
class ScoredLine:
    """A line of a table: a sequence, and one or two measurements of its score."""

    number: int
    sequence: tuple[int, ...]
    scores: tuple[float, ...]


def read_lines(path: Path) -> list[ScoredLine]:
    """The lines of a CSV file with the header `sequence,score`, and perhaps `second_score`.

    Raises:
        BadInput: it cannot be read, or a line is not as it must be.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            lines = list(_lines(path, file))
    except OSError as error:
        raise BadInput(f"the table {path} cannot be read ({error.strerror}): is the path right?") from error
    except (csv.Error, UnicodeDecodeError) as error:
        raise BadInput(f"{path} must be a CSV file in UTF-8, but: {error}") from error
    if not lines:
        raise BadInput(f"{path} has no line below its header: expected one for every scored sequence")
    return lines


def _lines(path: Path, file: Iterator[str]) -> Iterator[ScoredLine]:
    reader = csv.reader(file)
    header = [name.strip() for name in next(reader, [])]
    if header not in _HEADERS:
        expected = " or ".join(",".join(names) for names in _HEADERS)
        raise BadInput(f"the first line of {path} must be {expected}, not {','.join(header)!r}")
    for fields in reader:
        if fields:
            yield _Line(path, reader.line_num).scored(fields, header)


@dataclass(frozen=True)
class _Line:
    path: Path
    number: int

    def scored(self, fields: Sequence[str], header: Sequence[str]) -> ScoredLine:
        if len(fields) != len(header):
            self._refuse(f"expected {len(header)} fields ({','.join(header)}), not {len(fields)}")
        sequence = tuple(self._token(text) for text in fields[0].split())
        if not sequence:
            self._refuse("the sequence is empty; expected integers with spaces between them")
        score, *second = fields[1:]
        scores = [self._score(text) for text in (score, *filter(str.strip, second))]
        return ScoredLine(number=self.number, sequence=sequence, scores=tuple(scores))

    def _token(self, text: str) -> int:
        if not (text.isascii() and text.isdecimal() and len(text) < 10):
            self._refuse(f"the token {text!r} must be an integer from 0 on")
        return int(text)

    def _score(self, text: str) -> float:
        try:
            score = float(text)
        except ValueError:
            score = math.nan
        if not math.isfinite(score):
            self._refuse(f"the score {text!r} must be a finite number")
        return score

    def _refuse(self, what: str) -> NoReturn:
        raise BadInput(f"line {self.number} of {self.path}: {what}")
