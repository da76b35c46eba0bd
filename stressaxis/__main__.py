"""``python -m stressaxis`` is the command ``stressaxis``."""

__all__ = ["main"]


def main() -> None:
    """Entry point; the command is loaded only when it is called, for worker processes load this module, too."""
    from stressaxis.cli import main as command

    command()


if __name__ == "__main__":
    main()
