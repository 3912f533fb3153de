"""The one exception that a user's mistake raises; the command line prints its text as a single line."""

from __future__ import annotations


class UserError(Exception):
    """Something the user can mend: the text names the thing and the mend, in one line."""
