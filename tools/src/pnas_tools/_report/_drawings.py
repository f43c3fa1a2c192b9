"""The cells of all children as drawings, in little space."""

import base64
import gzip
import json
from collections.abc import Sequence

from pnas_tools._drawing import cell_fragment
from pnas_tools._report._child import Child


def packed_drawings(children: Sequence[Child]) -> str:
    """The SVG of every child, in their order, as base64 of gzipped JSON: drawings are alike, and so become small."""
    drawings = json.dumps([cell_fragment(child.cell) for child in children])
    return base64.b64encode(gzip.compress(drawings.encode(), mtime=0)).decode()
