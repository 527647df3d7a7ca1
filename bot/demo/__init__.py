"""The demo: a shop of drawn bags and a chat page with the unmodified bot."""
