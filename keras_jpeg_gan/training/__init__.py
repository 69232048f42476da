"""Training: objectives, schedules, checkpoints and the loop."""
