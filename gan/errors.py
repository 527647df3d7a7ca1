"""What a person can mend."""


class UserError(ValueError):
    """Something cannot be done as asked; the message is one line that says what to do instead."""


def one_line(error: BaseException) -> str:
    """An error as one line for a person."""
    text = " ".join(str(error).split())
    if isinstance(error, OSError) and error.strerror:
        text = error.strerror + (f": {error.filename}" if error.filename else "")
    if isinstance(error, MemoryError) or "out of memory" in text.lower() or "can't allocate memory" in text:
        return "out of memory: train with a smaller recipe.batch or recipe.channels"
    return text if isinstance(error, UserError | OSError) else f"{type(error).__name__}: {text}"
