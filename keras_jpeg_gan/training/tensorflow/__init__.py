"""Training on TensorFlow: GradientTape steps, mirrored over devices and machines."""
