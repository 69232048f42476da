"""The networks, their presets, and models: a preset with weights and a card."""
