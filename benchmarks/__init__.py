"""How fast this library is, beside others on the same machine: `python -m benchmarks.run`."""
