"""Favorites: saved designs, their files, the hall of fame and the export."""
