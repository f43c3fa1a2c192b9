"""How drawings look: colours that go with a light and with a dark page, and the same style as CSS."""

from typing import Literal

Theme = Literal["light", "dark"]

INK: dict[Theme, str] = {"light": "#1f2937", "dark": "#e5e7eb"}
PAPER: dict[Theme, str] = {"light": "#ffffff", "dark": "#16191f"}
BOXES = {
    "separable": "#3b82f6",
    "convolution": "#10b981",
    "dilated": "#8b5cf6",
    "pool": "#f59e0b",
    "identity": "#94a3b8",
    "plain": "#94a3b8",
    "previous": "#0891b2",
    "before": "#db2777",
    "cell": "#6366f1",
    "strided": "#a21caf",
}
LINES = {"previous": BOXES["previous"], "before": BOXES["before"], "inner": "#8a94a6"}
FILL_OPACITY, BORDER_OPACITY = 0.16, 0.8
LINE_WIDTH, BORDER_WIDTH, SUM_WIDTH = 1.5, 1.0, 1.3
LABEL_SIZE, RAISED_SIZE, RAISED_BY = 12, 9, 4
NOTE_SIZE, NOTE_OPACITY = 10, 0.75
HEADING_WEIGHT = "bold"
CORNER = 6
BASELINE = 4  # of a label, below the middle of its box

DRAWING_CSS = "\n".join(
    [
        f".pnas{{font:{LABEL_SIZE}px Inter,Helvetica,Arial,sans-serif;fill:currentColor}}",
        f".pnas rect{{fill-opacity:{FILL_OPACITY};stroke-opacity:{BORDER_OPACITY};stroke-width:{BORDER_WIDTH:g}}}",
        f".pnas path{{fill:none;stroke-width:{LINE_WIDTH}}}",
        ".pnas text{text-anchor:middle}",
        f".pnas tspan{{font-size:{RAISED_SIZE}px}}",
        f".pnas .note{{font-size:{NOTE_SIZE}px;text-anchor:start;opacity:{NOTE_OPACITY}}}",
        f".pnas .heading{{font-weight:{HEADING_WEIGHT}}}",
        *(f".pnas rect.{kind}{{fill:{color};stroke:{color}}}" for kind, color in BOXES.items()),
        *(f".pnas path.{kind}{{stroke:{color}}}" for kind, color in LINES.items()),
        f".pnas .sum{{fill:none;stroke:currentColor;stroke-width:{SUM_WIDTH}}}",
    ]
)
"""What `cell_fragment` needs once in a page; texts have the colour of the page's."""
