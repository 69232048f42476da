"""A SavedModel for TensorFlow Serving: JPEG files in, PNG files out, all in one graph."""
