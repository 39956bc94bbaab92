"""A text in English and French, side by side."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Language = Literal["en", "fr"]
LANGUAGES: tuple[Language, ...] = ("en", "fr")


@dataclass(frozen=True, slots=True)
class Words:
    """One text in both languages of the house.

    Examples
    --------
    >>> Words("volume", "volume").in_("fr")
    'volume'
    """

    en: str
    fr: str

    def in_(self, language: Language) -> str:
        """Return the text in `language`."""
        return self.fr if language == "fr" else self.en

    def as_dict(self) -> dict[str, str]:
        """Return both texts by language."""
        return {"en": self.en, "fr": self.fr}
