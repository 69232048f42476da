"""Training: losses, validation and checkpoints, shared by the loops of both backends."""
