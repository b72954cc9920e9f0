"""Ferrograd's ops alone, without peers: quick to run while a kernel is being worked on."""

from alone import main
from workloads import OPS

if __name__ == "__main__":
    main(__doc__, [row for family in OPS for row in family.WORKLOADS])
