"""Colours, sizes and fonts as constants: the values of ``web/app/src/tokens.css``, which is their home.

Reports and figures stand below the web floor and may not read its files; a test holds the two equal.
"""

from __future__ import annotations

#: Custom properties on paper, in daylight and in print.
LIGHT: dict[str, str] = {
    "ground": "#FBFBF9",
    "raised": "#FFFFFF",
    "ink": "#1B2228",
    "quiet": "#5A6772",
    "line": "#D9DEE2",
    "accent": "#0B6E8A",
    "suspect": "#D55E00",
    "not-suspect": "#0072B2",
    "cannot-tell": "#6B7480",
    "stale": "#8A6D00",
}

#: The same in the operating room and the reading room.
DARK: dict[str, str] = {
    "ground": "#101418",
    "raised": "#171D23",
    "ink": "#E8EDF1",
    "quiet": "#9AA7B2",
    "line": "#2B343C",
    "accent": "#5CC3DE",
    "suspect": "#FF9A4D",
    "not-suspect": "#6DB7EC",
    "cannot-tell": "#A9B4BE",
    "stale": "#E3C04A",
}

#: Hues of series, in order (Okabe and Ito 2008).
SERIES: tuple[str, ...] = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")

#: The same hues, those that a dark ground would swallow made lighter.
SERIES_DARK: tuple[str, ...] = ("#6DB7EC", "#FF9A4D", "#3CC9A0", "#E0A3C6", "#E69F00", "#56B4E9")

#: The scale of type in px.
SIZES: tuple[int, ...] = (12, 14, 16, 20, 28, 40, 64)

#: System fonts; nothing is downloaded.
SANS = 'system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "Liberation Sans", sans-serif'
MONO = 'ui-monospace, SFMono-Regular, Menlo, Consolas, "Liberation Mono", monospace'


def properties(colours: dict[str, str]) -> str:
    """Return custom properties, one a colour.

    Examples
    --------
    >>> properties({"ink": "#1B2228"})
    '--ink: #1B2228;'
    """
    return " ".join(f"--{name}: {value};" for name, value in colours.items())


def numbered(hues: tuple[str, ...]) -> dict[str, str]:
    """Return hues as colours by name.

    Examples
    --------
    >>> numbered(("#0072B2",))
    {'series-1': '#0072B2'}
    """
    return {f"series-{i}": hue for i, hue in enumerate(hues, start=1)}


def tokens_css() -> str:
    """Return the tokens as CSS: light by default, dark where the reader's system asks for it, always light on paper."""
    light, dark = (properties(colours | numbered(hues)) for colours, hues in ((LIGHT, SERIES), (DARK, SERIES_DARK)))
    shared = " ".join(f"--size-{size}: {size}px;" for size in SIZES)
    shared += f" --sans: {SANS}; --mono: {MONO};"
    return (
        f":root {{ color-scheme: light dark; {light} {shared} }}\n"
        f'@media screen and (prefers-color-scheme: dark) {{ :root:not([data-theme="light"]) {{ {dark} }} }}\n'
        f'@media screen {{ :root[data-theme="dark"] {{ {dark} }} }}\n'
    )


def contrast(one: str, other: str) -> float:
    """Return the contrast ratio of two colours (WCAG 2.2), from 1 to 21.

    Parameters
    ----------
    one, other : str
        ``#RRGGBB`` in sRGB.

    Examples
    --------
    >>> contrast("#000000", "#FFFFFF")
    21.0
    """
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _luminance(colour: str) -> float:
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


#: What figures need; prefixed by nothing else, so that it serves inside a page and in a file of its own.
FIGURE_CSS = """\
svg.figure { display: block; width: 100%; height: auto; font-family: var(--sans); font-size: 13px; font-variant-numeric: tabular-nums; }
svg.figure text { fill: var(--ink); }
svg.figure .quiet { fill: var(--quiet); }
svg.figure .strong { font-weight: 600; }
svg.figure .halo { paint-order: stroke; stroke: var(--raised); stroke-width: 4px; stroke-linejoin: round; }
svg.figure .small { font-size: 12px; }
svg.figure .axis { stroke: var(--quiet); stroke-width: 1; fill: none; }
svg.figure .grid { stroke: var(--line); stroke-width: 1; fill: none; }
svg.figure .reference { stroke: var(--quiet); stroke-width: 1.5; stroke-dasharray: 2 3; fill: none; }
svg.figure .frame { stroke: var(--quiet); stroke-width: 2; stroke-dasharray: 1 5; stroke-linecap: round; fill: none; }
svg.figure .virtual { fill: var(--quiet); font-size: 16px; font-weight: 600; letter-spacing: 2px; }
svg.figure .mark { stroke: currentColor; fill: currentColor; stroke-width: 2; }
svg.figure .hollow { stroke: currentColor; fill: var(--raised); stroke-width: 2; }
svg.figure .path { stroke: currentColor; fill: none; stroke-width: 2; stroke-linejoin: round; }
svg.figure .unsure { stroke-dasharray: 4 3; }
svg.figure .band { fill: currentColor; opacity: 0.16; }
svg.figure .bar { fill: currentColor; }
svg.figure .pale { opacity: 0.45; }
svg.figure .soft { color: var(--quiet); }
svg.figure .s1 { color: var(--series-1); } svg.figure .s2 { color: var(--series-2); } svg.figure .s3 { color: var(--series-3); }
svg.figure .s4 { color: var(--series-4); } svg.figure .s5 { color: var(--series-5); } svg.figure .s6 { color: var(--series-6); }
"""
