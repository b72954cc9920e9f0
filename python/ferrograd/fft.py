"""Fourier transforms: the array API's fft extension."""

from ferrograd import _core

fft = _core.fft_fft
fftfreq = _core.fft_fftfreq
fftn = _core.fft_fftn
fftshift = _core.fft_fftshift
hfft = _core.fft_hfft
ifft = _core.fft_ifft
ifftn = _core.fft_ifftn
ifftshift = _core.fft_ifftshift
ihfft = _core.fft_ihfft
irfft = _core.fft_irfft
irfftn = _core.fft_irfftn
rfft = _core.fft_rfft
rfftfreq = _core.fft_rfftfreq
rfftn = _core.fft_rfftn

__all__ = [
    "fft",
    "fftfreq",
    "fftn",
    "fftshift",
    "hfft",
    "ifft",
    "ifftn",
    "ifftshift",
    "ihfft",
    "irfft",
    "irfftn",
    "rfft",
    "rfftfreq",
    "rfftn",
]
