"""The Discord bot that dreams handbags."""
