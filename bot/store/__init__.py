"""The database: designs, votes, favorites, polls, posts and guilds' settings."""
