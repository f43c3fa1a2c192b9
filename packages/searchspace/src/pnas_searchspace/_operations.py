PNAS_OPERATIONS = (
    "sep_conv_3x3",
    "sep_conv_5x5",
    "sep_conv_7x7",
    "conv_1x7_7x1",
    "identity",
    "avg_pool_3x3",
    "max_pool_3x3",
    "dil_conv_3x3",
)
"""The paper's eight operations (section 3.1). Their order is part of the format: an operation's token is its place
here."""
