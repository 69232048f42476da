"""From photographs to training batches: sources, patches, JPEG degradation, tf.data."""
