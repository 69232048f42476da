"""The speed of this library and of others on the same machine: `python -m benchmarks.run`."""
