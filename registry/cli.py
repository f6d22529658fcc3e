"""The program: finds commands by entry point, turns errors into exit codes."""


def main() -> None:
    """Run the command line."""
