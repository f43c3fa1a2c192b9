import signal


def leave_interrupts_to_parent(worker: int) -> None:  # noqa: ARG001  # a DataLoader's worker_init_fn is told its number
    """Ctrl-C reaches all processes of a terminal; those that read images end with the one that they read for."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
