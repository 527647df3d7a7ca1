"""Collects bag pictures from shops politely, and builds the dataset that the GAN trains on."""
