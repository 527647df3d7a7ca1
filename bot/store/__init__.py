"""What the bot remembers: designs, votes, favorites, polls and what it has posted."""
