"""``python -m stressaxis`` is the command ``stressaxis``."""

from stressaxis.cli import main

if __name__ == "__main__":
    main()
