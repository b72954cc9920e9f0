"""Every workload of the comparison, one file per family; a row is data, and so is the list of all rows."""

from workloads import attention, conv, elementwise, inference, loss, matmul, process, reductions, training
from workloads.workload import Workload

OPS = (elementwise, reductions, matmul, conv, attention, loss)
MODELS = (training, inference)
WORKLOADS: dict[str, Workload] = {row.name: row for family in (*OPS, *MODELS, process) for row in family.WORKLOADS}


def matching(pattern: str) -> list[Workload]:
    """The rows whose name contains the pattern; alternatives are separated by |."""
    wanted = pattern.lower().split("|")
    return [row for name, row in WORKLOADS.items() if any(part in name.lower() for part in wanted)]
