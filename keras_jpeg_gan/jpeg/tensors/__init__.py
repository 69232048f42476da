"""JPEG as differentiable mathematics in keras.ops, batched."""
