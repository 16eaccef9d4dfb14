"""A page of a list: the one form of every list in the canonical style and of agents' sessions."""

from collections.abc import Callable
from typing import Generic, Literal, Self, TypeVar

from control_api.http.answers.models import AnswerModel

Item = TypeVar("Item", bound=AnswerModel)


class Page(AnswerModel, Generic[Item]):
    """Some items in the order of the list, and how to ask for those that follow."""

    object: Literal["list"]
    data: list[Item]
    has_more: bool
    next_cursor: str | None

    @classmethod
    def of(cls, data: list[Item], has_more: bool, cursor: Callable[[Item], str]) -> Self:
        """The page with these items.

        Args:
            cursor: what asks for the items behind the given one.
        """
        following = cursor(data[-1]) if has_more and data else None
        return cls(object="list", data=data, has_more=has_more, next_cursor=following)

    @classmethod
    def whole(cls, data: list[Item]) -> Self:
        """The one page of a list that is answered as a whole."""
        return cls(object="list", data=data, has_more=False, next_cursor=None)
