"""The demo: a shop of drawn bags, and a chat page around the unmodified bot."""
