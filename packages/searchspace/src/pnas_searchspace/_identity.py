from typing import Any, Self, cast


class ComparedByForm:
    """Equality, hash and order of something with several spellings: those of its canonical form.

    Made for subclasses of tuple, whose own comparisons would compare the spellings.
    """

    __slots__ = ()

    def _form(self) -> tuple[Any, ...]:
        """The canonical form, as plain values."""
        raise NotImplementedError

    def __eq__(self, other: object) -> bool:
        return _same_kind(self, other) and self._form() == cast("Self", other)._form()

    def __ne__(self, other: object) -> bool:
        return not self == other

    def __hash__(self) -> int:
        return hash(self._form())

    def __lt__(self, other: Any) -> bool:
        return self._form() < self._comparable(other)._form()

    def __le__(self, other: Any) -> bool:
        return self._form() <= self._comparable(other)._form()

    def __gt__(self, other: Any) -> bool:
        return self._form() > self._comparable(other)._form()

    def __ge__(self, other: Any) -> bool:
        return self._form() >= self._comparable(other)._form()

    def _comparable(self, other: Any) -> "ComparedByForm":
        if not _same_kind(self, other):
            raise TypeError(f"a {type(self).__name__} has no order with a {type(other).__name__}")
        return cast("ComparedByForm", other)


def _same_kind(one: ComparedByForm, other: object) -> bool:
    return isinstance(other, ComparedByForm) and (isinstance(other, type(one)) or isinstance(one, type(other)))
