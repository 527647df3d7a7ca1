"""Errors that the user can fix."""


class UserError(ValueError):
    """Something that cannot be done as asked; the message is one line that says what to do instead."""


def out_of_memory(error: BaseException) -> bool:
    """Whether memory ran out, on any device: torch says so only in the text of a RuntimeError."""
    text = str(error).lower()
    said = "out of memory" in text or "can't allocate memory" in text
    return isinstance(error, MemoryError) or (isinstance(error, RuntimeError | OSError) and said)


def one_line(error: BaseException) -> str:
    """An error as one line for the user."""
    text = " ".join(str(error).split())
    if isinstance(error, OSError) and error.strerror:
        text = error.strerror + (f": {error.filename}" if error.filename else "")
    if out_of_memory(error):
        return (
            "out of memory: free some, or start over with --new and a lower recipe.batch or recipe.channels"
        )
    return text if isinstance(error, UserError | OSError) else f"{type(error).__name__}: {text}"
