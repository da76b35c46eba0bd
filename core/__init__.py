"""What every reader and every result of stressaxis shares."""

from core.errors import ConfigError, InputError, RefusedError, StressaxisError
from core.problems import Problem, problems_table

__all__ = [
    "ConfigError",
    "InputError",
    "Problem",
    "RefusedError",
    "StressaxisError",
    "problems_table",
]
