PNASNET_5 = (
    (-2, "sep_conv_5x5", -2, "max_pool_3x3"),
    (-1, "sep_conv_7x7", -1, "max_pool_3x3"),
    (-1, "sep_conv_5x5", -1, "sep_conv_3x3"),
    (2, "sep_conv_3x3", -1, "max_pool_3x3"),
    (-2, "sep_conv_3x3", -1, "identity"),
)
"""The cell that the paper found (figure 1 left), in the order of TF-Slim's blocks."""
