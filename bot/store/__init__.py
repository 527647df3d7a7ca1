"""What the bot remembers: designs, votes, favorites, rounds and what it has posted."""
