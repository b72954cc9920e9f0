"""The command `ferrograd`; one module per subcommand."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from ferrograd import plugins
from ferrograd.cli import demo, info

COMMANDS = {"demo": demo, "info": info}


def main(argv: Sequence[str] | None = None) -> int:
    """Run a subcommand, one of ferrograd's or a plugin's; returns the exit status.

    >>> from ferrograd.cli import main
    >>> main(["demo", "--epochs", "0"])
    2
    """
    parser = argparse.ArgumentParser(prog="ferrograd", description="Deep learning on Rust tensors.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    arguments_given = sys.argv[1:] if argv is None else argv
    installed = {name: plugins.commands.get(name) for name in plugins.commands if name in arguments_given[:1]}
    known = COMMANDS | installed
    for name, module in known.items():
        summary = (module.__doc__ or "").splitlines()[0]
        module.add_arguments(commands.add_parser(name, help=summary, description=summary))
    arguments = parser.parse_args(arguments_given)
    try:
        known[arguments.command].run(arguments)
        return 0
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130
    except (ValueError, OSError) as error:
        print(f"ferrograd {arguments.command}: {error}", file=sys.stderr)
        return 2
