"""How tensors print: NumPy's layout, with what NumPy does not know after it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from ferrograd._core import Tensor


def tensor_repr(x: Tensor) -> str:
    """`tensor([[1., 2.]], dtype=float64, device=gpu:0, requires_grad=True)`; defaults are left out.

    >>> import ferrograd as fg
    >>> fg.tensor([1.5, 2.0])
    tensor([1.5, 2. ])
    """
    host = x.detach().to("cpu")
    values = np.asarray(host.to("float32") if host.dtype.name == "bfloat16" else host)
    body = "[]"
    if values.size:
        body = np.array2string(values, separator=", ", prefix="tensor(", precision=4, threshold=1000)
    notes = [body]
    if values.size == 0 and values.shape != (0,):
        notes.append(f"shape={values.shape}")
    if x.dtype.name not in ("float32", "int64", "bool", "complex64"):
        notes.append(f"dtype={x.dtype.name}")
    if x.device != "cpu":
        notes.append(f"device={x.device}")
    if x.grad_fn:
        notes.append(f"grad_fn={x.grad_fn}")
    elif x.requires_grad:
        notes.append("requires_grad=True")
    return f"tensor({', '.join(notes)})"
