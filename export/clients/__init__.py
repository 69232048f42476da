"""Clients of TensorFlow Serving, each in a single file."""
