"""Trains a small GAN on pictures of bags and draws new bags from seeds."""
