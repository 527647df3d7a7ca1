"""The demo's shop: drawn bags, served in the markup of real shops."""
