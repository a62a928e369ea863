from ._record import record


def mount(mountpoint, force_remount=False):
    record("drive.mount", mountpoint)
