"""The demo's chat page: a simulated Discord in the browser with the unmodified bot."""
