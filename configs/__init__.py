"""What an experiment is: schema, loading with line numbers, presets, demo experiments."""
