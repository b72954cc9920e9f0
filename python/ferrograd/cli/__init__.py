"""The command `ferrograd`; one module per subcommand."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from ferrograd.cli import demo, info

COMMANDS = {"demo": demo, "info": info}


def main(argv: Sequence[str] | None = None) -> int:
    """Run a subcommand; returns the exit status.

    >>> from ferrograd.cli import main
    >>> main(["demo", "--epochs", "0"])
    2
    """
    parser = argparse.ArgumentParser(prog="ferrograd", description="Deep learning on Rust tensors.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, module in COMMANDS.items():
        summary = (module.__doc__ or "").splitlines()[0]
        module.add_arguments(commands.add_parser(name, help=summary, description=summary))
    arguments = parser.parse_args(argv)
    try:
        COMMANDS[arguments.command].run(arguments)
        return 0
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130
    except (ValueError, OSError) as error:
        print(f"ferrograd {arguments.command}: {error}", file=sys.stderr)
        return 2
