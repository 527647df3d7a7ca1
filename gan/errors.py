"""What a person can mend."""


class UserError(ValueError):
    """Something cannot be done as asked; the message is one line that says what to do instead."""


def out_of_memory(error: BaseException) -> bool:
    """Whether memory ran out, on whatever device: torch says it in a RuntimeError's words only."""
    text = str(error).lower()
    said = "out of memory" in text or "can't allocate memory" in text
    return isinstance(error, MemoryError) or (isinstance(error, RuntimeError | OSError) and said)


def one_line(error: BaseException) -> str:
    """An error as one line for a person."""
    text = " ".join(str(error).split())
    if isinstance(error, OSError) and error.strerror:
        text = error.strerror + (f": {error.filename}" if error.filename else "")
    if out_of_memory(error):
        return "out of memory: free some, or begin with --new and a smaller recipe.batch or recipe.channels"
    return text if isinstance(error, UserError | OSError) else f"{type(error).__name__}: {text}"
