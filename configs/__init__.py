"""Configs of trainings: `default` has every setting, each other file changes a few."""
