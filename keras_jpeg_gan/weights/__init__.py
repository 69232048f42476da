"""Bundled models: weights in float16, each with its JSON card."""
