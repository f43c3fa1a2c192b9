"""What the search was told, and with which versions it began."""

from dataclasses import dataclass
from typing import Any

from pnas_tools._config import SearchConfig
from pnas_tools._report._search_data import SearchData


@dataclass(frozen=True, kw_only=True)
class Setting:
    """A setting of the search.

    Attributes:
        name: the config's.
        value: in words.
        is_default: whether every preset has it so.
    """

    name: str
    value: str
    is_default: bool


def settings(search: SearchData) -> list[Setting]:
    """All settings; those that somebody or a preset has chosen come first."""
    defaults = SearchConfig.defaults()
    told = [
        Setting(name=name, value=_text(value), is_default=name in defaults and defaults[name] == value)
        for name, value in sorted(search.config.items())
    ]
    return sorted(told, key=lambda setting: setting.is_default)


def versions(search: SearchData) -> dict[str, str]:
    """What the search began with, by name."""
    known = {name: value for name, value in search.provenance.items() if name != "versions"}
    told = {**known, **search.provenance.get("versions", {})}
    return {name.replace("git_revision", "git revision"): _text(value) for name, value in told.items()}


def _text(value: Any) -> str:
    match value:
        case None:
            return "none"
        case bool():
            return "yes" if value else "no"
        case list() | tuple():
            return ", ".join(map(str, value))
        case _:
            return str(value)
