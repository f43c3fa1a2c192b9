import zlib
from tokenize import TokenError
from zipfile import BadZipFile

BROKEN_ARCHIVE = (OSError, ValueError, KeyError, TypeError, EOFError, RuntimeError, BadZipFile, TokenError, zlib.error)
"""What NumPy lets out for `.npz` files that are damaged; RuntimeErrors, for one, are of unknown compressions."""
