"""errors.py: complaints that are one line for the user."""


class Usage(Exception):
    """The caller asked for something that cannot be: exit status 127."""


class Died(Exception):
    """The emulator or the machine went away: exit status 126."""
