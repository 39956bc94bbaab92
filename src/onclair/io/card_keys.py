"""How the tables of a card are read: each key knows its kind, and an unknown one is refused with the nearest name."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import MISSING, field, fields
from typing import Any, TypeVar

from onclair.core.errors import BadSetting
from onclair.core.names import did_you_mean

Part = TypeVar("Part")
#: A dataclass whose fields were made by `key`.
Table = type[Any]
#: ``(value, where) -> value``, or a refusal.
Reader = Callable[[Any, str], Any]


def key(read: Reader, about: str, default: Any = MISSING) -> Any:
    """Return a dataclass field that knows how its value is read and what it means.

    Examples
    --------
    >>> key(word, "short name").metadata["about"]
    'short name'
    """
    metadata = {"read": read, "about": about}
    if isinstance(default, Mapping):
        return field(default_factory=lambda: dict(default), metadata=metadata)
    return field(metadata=metadata) if default is MISSING else field(default=default, metadata=metadata)


def read_part(kind: type[Part], given: Any, where: str) -> Part:
    """Return one table of a card.

    Parameters
    ----------
    kind : dataclass
        Its fields made by `key`.
    given : mapping
    where : str
        What errors call it.

    Raises
    ------
    BadSetting
        For what is no table, an unknown key (nearest offered), a missing one that is needed, or a value of the wrong kind.
    """
    if not isinstance(given, Mapping):
        raise BadSetting(f"{where} is {given!r}; write a table of keys.", item=where)
    parts: Table = kind
    known(given, [each.name for each in fields(parts)], where)
    values = {}
    for each in fields(parts):
        if each.name in given:
            values[each.name] = each.metadata["read"](given[each.name], f"'{each.name}' in {where}")
        elif each.default is MISSING and each.default_factory is MISSING:
            raise BadSetting(f"{where} has no '{each.name}' ({each.metadata['about']}); add it.", item=each.name)
    return kind(**values)


def known(given: Mapping[str, Any], names: Iterable[str], where: str) -> None:
    """Refuse a key that is not among `names`, offering the nearest.

    Raises
    ------
    BadSetting

    Examples
    --------
    >>> known({"nmae": 1}, ["name"], "the card")
    Traceback (most recent call last):
    onclair.core.errors.BadSetting: The card holds an unknown key 'nmae'; did you mean 'name'?
    """
    every = list(names)
    for each in given:
        if each not in every:
            raise BadSetting(
                f"{where[:1].upper()}{where[1:]} holds an unknown key '{each}'; {did_you_mean(str(each), every)}", item=str(each)
            )


def word(value: Any, where: str) -> str:
    """Return a text that is not empty, or refuse it.

    Examples
    --------
    >>> word(" PET ", "'modality'")
    'PET'
    """
    if not isinstance(value, str) or not value.strip():
        raise BadSetting(f"{where} is {value!r}; write a word or a sentence, or leave the key out.", item=where)
    return value.strip()


def texts(value: Any, where: str) -> tuple[str, ...]:
    """Return a list of texts, or refuse it.

    Examples
    --------
    >>> texts("one", "'notes'")
    ('one',)
    """
    return tuple(word(each, where) for each in (value if isinstance(value, list | tuple) else [value]))


def number(value: Any, where: str) -> float:
    """Return a finite number, or refuse it.

    Examples
    --------
    >>> number(25, "'width'")
    25
    """
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise BadSetting(f"{where} is {value!r}; write a number, or leave the key out: a missing item is named, not filled in.", item=where)
    return value


def count_of(value: Any, where: str) -> int:
    """Return a whole number of at least 0, or refuse it.

    Examples
    --------
    >>> count_of(5, "'members'")
    5
    """
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise BadSetting(f"{where} is {value!r}; write a whole number of at least 0.", item=where)
    return value


def sizes_of(value: Any, where: str) -> tuple[int, int, int]:
    """Return the voxels of a grid along three axes; one number stands for all three.

    Examples
    --------
    >>> sizes_of(24, "'size'"), sizes_of([32, 32, 16], "'size'")
    ((24, 24, 24), (32, 32, 16))
    """
    sizes = [count_of(each, where) for each in (value if isinstance(value, list | tuple) else [value] * 3)]
    if len(sizes) != 3 or min(sizes) < 1:
        raise BadSetting(f"{where} is {value!r}; write three numbers of voxels, or one for all three.", item=where)
    return sizes[0], sizes[1], sizes[2]


def words_of(*words: str) -> Reader:
    """Return a reader of a list of these words.

    Examples
    --------
    >>> words_of("image", "mask")(["image"], "'channels'")
    ('image',)
    """

    def read(value: Any, where: str) -> tuple[str, ...]:
        """Return the words as they are spelled here, or refuse them."""
        return tuple(one_of(*words)(each, where) for each in (value if isinstance(value, list | tuple) else [value]))

    return read


def numbers(count: int) -> Reader:
    """Return a reader of so many numbers.

    Examples
    --------
    >>> numbers(2)([0.6, 0.7], "'interval'")
    (0.6, 0.7)
    """

    def read(value: Any, where: str) -> tuple[float, ...]:
        if not isinstance(value, list | tuple) or len(value) != count:
            raise BadSetting(f"{where} is {value!r}; write {count} numbers in brackets.", item=where)
        return tuple(float(number(each, where)) for each in value)

    return read


def one_of(*words: str) -> Reader:
    """Return a reader of one of these words; capitals do not matter.

    Examples
    --------
    >>> one_of("PET", "CT")("pet", "'modality'")
    'PET'
    """

    def read(value: Any, where: str) -> str:
        """Return the word as it is spelled here, or refuse it."""
        by_plain = {each.casefold(): each for each in words}
        found = by_plain.get(value.casefold()) if isinstance(value, str) else None
        if found is None:
            raise BadSetting(f"{where} is {value!r}; {did_you_mean(str(value), words)}", item=where)
        return found

    return read


def spacing_of(value: Any, where: str) -> tuple[float, ...] | str:
    """Return a grid's spacing in mm, or the word ``native``.

    Examples
    --------
    >>> spacing_of(1, "'spacing'"), spacing_of([1, 1, 3], "'spacing'"), spacing_of("native", "'spacing'")
    ((1.0, 1.0, 1.0), (1.0, 1.0, 3.0), 'native')
    """
    if isinstance(value, str):
        return str(one_of("native")(value, where))
    lengths = tuple(float(number(each, where)) for each in (value if isinstance(value, list | tuple) else [value] * 3))
    if len(lengths) not in (2, 3) or min(lengths) <= 0:
        raise BadSetting(f'{where} is {value!r}; write three positive lengths in mm, one for all three, or "native".', item=where)
    return lengths


def range_of(value: Any, where: str) -> tuple[float, float] | str:
    """Return a range of intensities, or the word ``none``.

    Examples
    --------
    >>> range_of([-500, 400], "'range'"), range_of("none", "'range'")
    ((-500.0, 400.0), 'none')
    """
    if isinstance(value, str):
        return str(one_of("none")(value, where))
    low, high = numbers(2)(value, where)
    if low >= high:
        raise BadSetting(f"{where} runs from {low:g} to {high:g}; write the lower bound first.", item=where)
    return low, high


def table_of(kind: Table, name: str) -> Reader:
    """Return a reader of a table within a table."""
    return lambda value, where: read_part(kind, value, f"{name} ({where})")


def plain_table(value: Any, where: str) -> dict[str, Any]:
    """Return a table of free keys, or refuse what is none.

    Examples
    --------
    >>> plain_table({"horizon": 24}, "'baseline'")
    {'horizon': 24}
    """
    if not isinstance(value, Mapping):
        raise BadSetting(f"{where} is {value!r}; write a table of keys.", item=where)
    return {str(name): inner for name, inner in value.items()}
