"""The one error a user is meant to read: it names the value, what is allowed, and the remedy."""


class CmaudioError(Exception):
    """A mistake in what cmaudio was given, or trouble outside it (file, device), told so that the user can mend it."""
