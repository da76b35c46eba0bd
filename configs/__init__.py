"""What an experiment is: schema, loading with line numbers, presets, demo experiments."""

from core.lazy import lazy_front

__getattr__, __dir__, __all__ = lazy_front(
    __name__,
    {
        "checks": ("check", "check_tables"),
        "declaration": ("declared", "resolved"),
        "faults": ("ExperimentError", "Fault"),
        "editor_schema": ("json_schema",),
        "extending": ("presets",),
        "loading": ("load", "refuse"),
        "reference": ("reference_markdown",),
        "schema": ("Experiment",),
        "tables": (
            "Tables",
            "read_outcomes",
            "read_serum_samples",
            "read_subjects",
            "read_tables",
            "read_trials",
        ),
    },
)
