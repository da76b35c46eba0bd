"""The subcommands of ``stressaxis``, one module a subject; ``stressaxis.cli`` puts them together.

A command only turns options into a call and the outcome into words: what it does stands in the modules it imports, and
those are imported inside the function, so that ``stressaxis --help`` stays quick.
"""
