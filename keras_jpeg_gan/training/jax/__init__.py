"""Training on JAX: one compiled step on one accelerator. Imports no TensorFlow."""
