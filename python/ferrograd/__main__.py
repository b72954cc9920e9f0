"""`python -m ferrograd` is the command `ferrograd`."""

import sys

from ferrograd.cli import main

sys.exit(main())
