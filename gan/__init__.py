"""The dreamer: trains a small GAN on bag pictures and draws new bags from seeds."""
