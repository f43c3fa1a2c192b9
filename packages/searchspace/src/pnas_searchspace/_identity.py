from typing import Any, ClassVar, Self, cast


class ComparedByForm:
    """Equality, hash and order of something with several spellings: those of its canonical form.

    Made for subclasses of tuple, whose own comparisons would compare the spellings. A direct subclass and all that
    derive from it are of one kind, and things of different kinds are never equal.
    """

    __slots__ = ()
    _kind: ClassVar[type]

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        if ComparedByForm in cls.__bases__:
            cls._kind = cls

    def _form(self) -> tuple[Any, ...]:
        """The canonical form, as plain values."""
        raise NotImplementedError

    def __eq__(self, other: object) -> bool:
        return isinstance(other, self._kind) and self._form() == cast("Self", other)._form()

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
        if not isinstance(other, self._kind):
            raise TypeError(f"a {type(self).__name__} has no order with a {type(other).__name__}")
        return cast("ComparedByForm", other)
