"""Multi-head attention."""

from __future__ import annotations

from typing import Any

from ferrograd import _core
from ferrograd._core import Tensor
from ferrograd.nn import functional as F
from ferrograd.nn import init
from ferrograd.nn.linear import Linear
from ferrograd.nn.module import Module
from ferrograd.nn.parameter import Parameter
from ferrograd.nn.sizes import check_probability, required_size


class MultiheadAttention(Module):
    """softmax(Q K^T / sqrt(d)) V for several heads, projected before and after (Vaswani et al. 2017).

    Args:
        embed_dim: E, features of the queries and of the output.
        num_heads: divides embed_dim.
        dropout: probability of dropping an attention weight while training.
        bias: whether the projections have biases.
        add_bias_kv: whether a learnt key and value are added to every sequence.
        add_zero_attn: whether a key and a value of zeros are added.
        kdim, vdim: features of keys and values; None means embed_dim.
        batch_first: whether tensors are (N, L, E) rather than (L, N, E).
        device, dtype: of the parameters.

    `forward(query, key, value, key_padding_mask=None, need_weights=True, attn_mask=None, average_attn_weights=True,
    is_causal=False)` returns the output (L, N, E) and the weights (N, L, S) averaged over the heads, or None without
    need_weights (faster: they are never stored). In both masks, key_padding_mask (N, S) and attn_mask (L, S) or
    (N num_heads, L, S), True hides a key; floating-point masks are added to the scores. Parameters as in PyTorch:
    `in_proj_weight` (3 E, E) (or `q_proj_weight`, `k_proj_weight`, `v_proj_weight`), `in_proj_bias`, `out_proj`.
    Raises ShapeError for sizes that do not fit, ValueError if num_heads does not divide embed_dim.

    >>> import ferrograd as fg
    >>> attention = fg.nn.MultiheadAttention(8, num_heads=2, batch_first=True)
    >>> x = fg.rand((3, 5, 8))
    >>> output, weights = attention(x, x, x)
    >>> output.shape, weights.shape
    ((3, 5, 8), (3, 5, 5))
    """

    in_proj_weight: Parameter | None
    q_proj_weight: Parameter | None
    k_proj_weight: Parameter | None
    v_proj_weight: Parameter | None
    in_proj_bias: Parameter | None
    bias_k: Parameter | None
    bias_v: Parameter | None

    def __init__(
        self,
        embed_dim: int,
        num_heads: int,
        dropout: float = 0.0,
        bias: bool = True,
        add_bias_kv: bool = False,
        add_zero_attn: bool = False,
        kdim: int | None = None,
        vdim: int | None = None,
        batch_first: bool = False,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        self.embed_dim = required_size(self, "embed_dim", embed_dim)
        self.num_heads = required_size(self, "num_heads", num_heads)
        if self.num_heads < 1 or self.embed_dim % self.num_heads:
            raise ValueError(
                f"MultiheadAttention: num_heads must divide embed_dim {self.embed_dim}, got {self.num_heads}"
            )
        self.kdim = self.embed_dim if kdim is None else required_size(self, "kdim", kdim)
        self.vdim = self.embed_dim if vdim is None else required_size(self, "vdim", vdim)
        self.dropout = check_probability(self, "dropout", dropout)
        self.add_zero_attn, self.batch_first = add_zero_attn, batch_first

        def parameter(*shape: int) -> Parameter:
            return Parameter(_core.zeros(shape, dtype=dtype or _core.float32, device=device))

        size = self.embed_dim
        separate = not self.embed_dim == self.kdim == self.vdim
        self.in_proj_weight = None if separate else parameter(3 * size, size)
        self.q_proj_weight = parameter(size, size) if separate else None
        self.k_proj_weight = parameter(size, self.kdim) if separate else None
        self.v_proj_weight = parameter(size, self.vdim) if separate else None
        self.in_proj_bias = parameter(3 * size) if bias else None
        self.bias_k = parameter(1, 1, size) if add_bias_kv else None
        self.bias_v = parameter(1, 1, size) if add_bias_kv else None
        self.out_proj = Linear(size, size, bias=bias, device=device, dtype=dtype)
        for weight in (self.in_proj_weight, self.q_proj_weight, self.k_proj_weight, self.v_proj_weight):
            if weight is not None:
                init.xavier_uniform_(weight)
        for extra in (self.bias_k, self.bias_v):
            if extra is not None:
                init.xavier_normal_(extra)
        if self.out_proj.bias is not None:
            init.zeros_(self.out_proj.bias)

    def forward(
        self,
        query: Tensor,
        key: Tensor,
        value: Tensor,
        key_padding_mask: Tensor | None = None,
        need_weights: bool = True,
        attn_mask: Tensor | None = None,
        average_attn_weights: bool = True,
        is_causal: bool = False,
    ) -> tuple[Tensor, Tensor | None]:
        return F.multi_head_attention_forward(
            query,
            key,
            value,
            self.embed_dim,
            self.num_heads,
            self.in_proj_weight,
            self.in_proj_bias,
            self.bias_k,
            self.bias_v,
            self.add_zero_attn,
            self.dropout,
            self.out_proj.weight,
            self.out_proj.bias,
            training=self.training,
            key_padding_mask=key_padding_mask,
            need_weights=need_weights,
            attn_mask=attn_mask,
            use_separate_proj_weight=self.in_proj_weight is None,
            q_proj_weight=self.q_proj_weight,
            k_proj_weight=self.k_proj_weight,
            v_proj_weight=self.v_proj_weight,
            average_attn_weights=average_attn_weights,
            is_causal=is_causal,
            batch_first=self.batch_first,
        )
