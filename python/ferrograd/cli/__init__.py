"""The command `ferrograd`; one module per subcommand."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from typing import Any

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
    given = list(sys.argv[1:] if argv is None else argv)
    known: dict[str, Any] = dict(COMMANDS)
    if given and given[0] not in known and given[0] in plugins.commands:
        known[given[0]] = plugins.commands.get(given[0])
    for name, module in known.items():
        summary = (module.__doc__ or "").splitlines()[0]
        module.add_arguments(commands.add_parser(name, help=summary, description=summary))
    arguments = parser.parse_args(given)
    try:
        known[arguments.command].run(arguments)
        return 0
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130
    except (ValueError, OSError) as error:
        print(f"ferrograd {arguments.command}: {error}", file=sys.stderr)
        return 2
