"""Trees of HTML and SVG: every text is escaped because none is ever pasted."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Iterable

Child = ET.Element | str | None
SVG = "http://www.w3.org/2000/svg"


def node(tag: str, *children: Child | Iterable[Child], **attributes: str | float | None) -> ET.Element:
    """Return an element with its children and attributes.

    Parameters
    ----------
    tag : str
    *children : Element, str, None, or an iterable of them
        None is left out.
    **attributes : str, float or None
        A trailing underscore is dropped (``class_``), an inner one is a hyphen (``stroke_width``); None is left out.

    Examples
    --------
    >>> ET.tostring(node("p", "a < b ", node("b", "c"), None, class_="x"), encoding="unicode")
    '<p class="x">a &lt; b <b>c</b></p>'
    """
    element = ET.Element(tag)
    for name, value in attributes.items():
        if value is not None:
            element.set(name.rstrip("_").replace("_", "-"), _attribute(value))
    append(element, *children)
    return element


def append(element: ET.Element, *children: Child | Iterable[Child]) -> None:
    """Add children to an element that is still being built.

    Examples
    --------
    >>> p = node("p", "one")
    >>> append(p, [" two ", node("br")], " three")
    >>> ET.tostring(p, encoding="unicode")
    '<p>one two <br /> three</p>'
    """
    for child in children:
        if child is None:
            continue
        if isinstance(child, str):
            _add_text(element, child)
        elif isinstance(child, ET.Element):
            element.append(child)
        else:
            append(element, *child)


def to_html(root: ET.Element) -> str:
    r"""Return an HTML document as text, with its doctype.

    Examples
    --------
    >>> to_html(node("html", node("br")))
    '<!doctype html>\n<html><br></html>\n'
    """
    return "<!doctype html>\n" + ET.tostring(root, encoding="unicode", method="html") + "\n"


def to_xml(root: ET.Element) -> str:
    """Return an element as well-formed XML.

    Examples
    --------
    >>> to_xml(node("g", node("path", d="M0 0")))
    '<g><path d="M0 0" /></g>'
    """
    return ET.tostring(root, encoding="unicode", method="xml")


def _attribute(value: str | float) -> str:
    return value if isinstance(value, str) else f"{round(float(value), 2):g}"


def _add_text(element: ET.Element, text: str) -> None:
    clean = "".join(c for c in text if c in "\t\n" or ord(c) >= 0x20)  # XML 1.0 holds no other control character
    if len(element):
        element[-1].tail = (element[-1].tail or "") + clean
    else:
        element.text = (element.text or "") + clean
