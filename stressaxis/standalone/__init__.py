"""What the commands that need no experiment do: one recording, track file, serum table, signature or plan at a time."""
