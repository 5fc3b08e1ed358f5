"""Locks of files, which end with the process that holds them, however it ends."""


def lock(descriptor: int) -> bool:
    """Lock an open file or folder until it is closed; false if another process holds it.

    Where the system, or the file system, has no locks, nobody holds one.
    """
    try:
        import fcntl
    except ImportError:  # Windows
        return True
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return True
    return True
