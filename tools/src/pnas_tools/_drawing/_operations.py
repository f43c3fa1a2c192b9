"""How operations are called in a drawing, and which are drawn alike."""

from pnas_tools._drawing._scene import Kind

_SHORT = {
    "sep_conv_3x3": "sep 3×3",
    "sep_conv_5x5": "sep 5×5",
    "sep_conv_7x7": "sep 7×7",
    "conv_1x7_7x1": "1×7, 7×1",
    "identity": "identity",
    "avg_pool_3x3": "avg 3×3",
    "max_pool_3x3": "max 3×3",
    "dil_conv_3x3": "dil 3×3",
}


def label_of(operation: str) -> str:
    """The operation as figure 1 of the paper calls it; another one by its name."""
    return _SHORT.get(operation, operation)


def family_of(operation: str) -> Kind:
    """`separable`, `dilated`, `pool`, `identity`, or `convolution` for all others."""
    if operation == "identity":
        return "identity"
    if "_pool" in operation:
        return "pool"
    if operation.startswith("sep_"):
        return "separable"
    return "dilated" if operation.startswith("dil_") else "convolution"
