"""The Discord client: what every feature needs of Discord, and no feature."""
