from pnas_trainer._cpu._program._recorded import Recorded

__all__ = ["Recorded"]
