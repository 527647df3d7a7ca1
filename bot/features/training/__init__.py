"""Training: runs told in threads, and the commands that start, stop and follow them."""
