"""JPEG as files (NumPy) and as mathematics (keras.ops)."""
