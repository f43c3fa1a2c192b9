from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class PartFile:
    """What has come of a file so far, and beside it, where from: pieces of two files are never put together."""

    path: Path

    @property
    def _origin(self) -> Path:
        return Path(f"{self.path}.origin")

    def resumable(self, url: str) -> tuple[int, str]:
        """The bytes that are here of the file at a URL, and the version (ETag or date) that they are of."""
        if not self.path.is_file() or not self._origin.is_file():
            return 0, ""
        lines = self._origin.read_text(encoding="utf-8", errors="replace").splitlines()
        if len(lines) != 2 or lines[0] != url or not _fits_a_header(lines[1]):
            return 0, ""
        return self.path.stat().st_size, lines[1]

    def begin(self, url: str, version: str) -> None:
        """Start from nothing; what has no version cannot be resumed."""
        # In this order a kill at any point leaves no part beside an origin that is not its own.
        self.discard()
        self.path.touch()
        if _fits_a_header(version):
            self._origin.write_text(f"{url}\n{version}\n", encoding="utf-8")

    def finish(self, path: Path) -> None:
        """Give the part its final name."""
        self.path.replace(path)
        self._origin.unlink(missing_ok=True)

    def discard(self) -> None:
        self._origin.unlink(missing_ok=True)
        self.path.unlink(missing_ok=True)


def _fits_a_header(version: str) -> bool:
    return version.isascii() and version.isprintable() and version != ""
