"""Ferrograd's training and inference alone, without peers: quick to run while a kernel is being worked on."""

from alone import main
from workloads import MODELS

if __name__ == "__main__":
    main(__doc__, [row for family in MODELS for row in family.WORKLOADS])
