"""Seeds: the whole numbers that people type; each names one latent. Imports no torch."""

import hashlib

from gan.errors import UserError

SEEDS = 2**32
"""Seeds are 0 ≤ seed < SEEDS: as many as a CPU `torch.Generator` distinguishes."""


class SeedError(UserError):
    """A seed out of range; the message is one line."""


def checked(seed: int) -> int:
    """The seed itself. Raises SeedError if it is out of range."""
    if not 0 <= seed < SEEDS:
        shown = str(seed) if len(str(seed)) <= 12 else "that"
        raise SeedError(f"seed {shown} is out of range: use a whole number from 0 to {SEEDS - 1}")
    return seed


def derived(*parts: int | str) -> int:
    """A seed in [0, SEEDS) that depends on all parts, so that no random state has to be kept."""
    digest = hashlib.sha256(":".join(map(str, parts)).encode()).digest()
    return int.from_bytes(digest[:4], "big")
