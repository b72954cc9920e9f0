"""Fourier transforms."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from harness import dtypes
from op_table.create import CREATES
from op_table.row import Call, DType, Row, Source, call, refuses

NORMS = ("backward", "ortho", "forward")
COMPLEX_RESULT = "complex tensors carry no gradients"


def one_axis(source: Source) -> Call:
    x = source.array(source.shape(min_dims=1, min_side=1, max_side=7), special=False)
    axis = source.axis(x.shape)
    return call(x, n=source.choice(None, source.integer(1, 8)), axis=axis, norm=source.choice(*NORMS))


def half_spectrum(source: Source) -> Call:
    """At least two values on the axis, so that the default length is not zero."""
    x = source.array((*source.shape(max_dims=2), source.integer(2, 6)), special=False)
    return call(x, n=source.choice(None, source.integer(1, 8)), norm=source.choice(*NORMS))


def all_axes(source: Source) -> Call:
    x = source.array((*source.shape(min_dims=1, max_dims=2, min_side=1), source.integer(2, 5)), special=False)
    axes = source.choice(None, (-1,), tuple(range(x.ndim)))
    return call(x, axes=axes, norm=source.choice(*NORMS))


def shift_cases(source: Source) -> Call:
    x = source.array(source.shape(min_dims=1), special=False)
    return call(x, axes=source.choice(None, source.axis(x.shape)))


def frequency_cases(source: Source) -> Call:
    return call(source.integer(1, 9), d=source.choice(1.0, 0.25), dtype=DType(source.dtype))


def frequencies(function: Callable[..., Any]) -> Callable[..., Any]:
    return lambda n, d, dtype: function(n, d)


def transform(name: str, cases: Callable[[Source], Call], types: tuple[str, ...]) -> Row:
    return Row(
        f"fft.{name}",
        getattr(np.fft, name),
        cases,
        types,
        result=None,
        slack=50,
        gradient=COMPLEX_RESULT,
        refusals=(
            refuses(
                "ValueError", name, np.ones(4, "complex64" if types[0] in dtypes.COMPLEX else "float32"), norm="half"
            ),
        ),
    )


ROWS = (
    transform("fft", one_axis, dtypes.COMPLEX),
    transform("ifft", one_axis, dtypes.COMPLEX),
    transform("fftn", all_axes, dtypes.COMPLEX),
    transform("ifftn", all_axes, dtypes.COMPLEX),
    transform("rfft", one_axis, dtypes.WIDE_FLOATS),
    transform("irfft", half_spectrum, dtypes.COMPLEX),
    transform("rfftn", all_axes, dtypes.WIDE_FLOATS),
    transform("irfftn", all_axes, dtypes.COMPLEX),
    transform("hfft", half_spectrum, dtypes.COMPLEX),
    transform("ihfft", one_axis, dtypes.WIDE_FLOATS),
    Row("fft.fftshift", np.fft.fftshift, shift_cases, dtypes.FLOATS + dtypes.COMPLEX),
    Row("fft.ifftshift", np.fft.ifftshift, shift_cases, dtypes.FLOATS + dtypes.COMPLEX),
    Row("fft.fftfreq", frequencies(np.fft.fftfreq), frequency_cases, dtypes.WIDE_FLOATS, gradient=CREATES, result=None),
    Row(
        "fft.rfftfreq", frequencies(np.fft.rfftfreq), frequency_cases, dtypes.WIDE_FLOATS, gradient=CREATES, result=None
    ),
)
