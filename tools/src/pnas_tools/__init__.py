"""The command line `pnas-tools`, the one place where the packages of PNAS meet."""

__all__: list[str] = []
__version__ = "0.1.0"
