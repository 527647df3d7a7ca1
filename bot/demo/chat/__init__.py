"""The demo's chat page: a simulated Discord in the browser around the unmodified bot."""
