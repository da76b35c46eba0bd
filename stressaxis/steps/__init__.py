"""The steps of a run: top-level functions that a worker process can call, each writing files into its output folder."""
