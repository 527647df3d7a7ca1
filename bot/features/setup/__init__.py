"""`!bag setup`: where and when the bot posts in a server."""
