"""Vision Transformer: an image is a sequence of patches (Dosovitskiy et al. 2021), with torchvision's names."""

from __future__ import annotations

import math
from typing import Any

import ferrograd as fg
from ferrograd import nn
from ferrograd._core import ShapeError, Tensor


class EncoderBlock(nn.Module):
    """Attention and an MLP, each after layer normalisation and beside a shortcut: (N, L, E) -> (N, L, E)."""

    def __init__(self, num_heads: int, hidden_dim: int, mlp_dim: int, dropout: float, attention_dropout: float) -> None:
        self.ln_1 = nn.LayerNorm(hidden_dim, eps=1e-6)
        self.self_attention = nn.MultiheadAttention(hidden_dim, num_heads, attention_dropout, batch_first=True)
        self.dropout = nn.Dropout(dropout)
        self.ln_2 = nn.LayerNorm(hidden_dim, eps=1e-6)
        self.mlp = nn.Sequential(
            nn.Linear(hidden_dim, mlp_dim),
            nn.GELU(),
            nn.Dropout(dropout),
            nn.Linear(mlp_dim, hidden_dim),
            nn.Dropout(dropout),
        )
        for linear in self.mlp:
            if isinstance(linear, nn.Linear) and linear.bias is not None:
                nn.init.xavier_uniform_(linear.weight)
                nn.init.normal_(linear.bias, std=1e-6)

    def forward(self, x: Tensor) -> Tensor:
        y = self.ln_1(x)
        y, _ = self.self_attention(y, y, y, need_weights=False)
        x, y = self.ln_2(self.dropout(y), residual=x)
        return x + self.mlp(y)


class Encoder(nn.Module):
    """Adds learnt positions, then a stack of blocks."""

    def __init__(
        self, seq_length: int, num_layers: int, block: dict[str, Any], hidden_dim: int, dropout: float
    ) -> None:
        self.pos_embedding = nn.Parameter(0.02 * fg.randn((1, seq_length, hidden_dim)))
        self.dropout = nn.Dropout(dropout)
        blocks = {f"encoder_layer_{i}": EncoderBlock(**block) for i in range(num_layers)}
        self.layers = nn.Sequential(blocks)
        self.ln = nn.LayerNorm(hidden_dim, eps=1e-6)

    def forward(self, x: Tensor) -> Tensor:
        return self.ln(self.layers(self.dropout(x + self.pos_embedding)))


class VisionTransformer(nn.Module):
    """Patches as tokens, a class token in front, a Transformer encoder: (N, C, S, S) -> (N, num_classes).

    Args:
        image_size: S, height and width of the images; patch_size divides it.
        patch_size: height and width of a patch.
        num_layers, num_heads, hidden_dim, mlp_dim: of the encoder; num_heads divides hidden_dim.
        dropout, attention_dropout: probabilities.
        num_classes: outputs.
        in_channels: C.

    >>> import ferrograd as fg
    >>> model = fg.models.VisionTransformer(28, 7, num_layers=2, num_heads=2, hidden_dim=16, mlp_dim=32, num_classes=10)
    >>> model(fg.zeros((2, 3, 28, 28))).shape
    (2, 10)
    """

    def __init__(
        self,
        image_size: int,
        patch_size: int,
        num_layers: int,
        num_heads: int,
        hidden_dim: int,
        mlp_dim: int,
        dropout: float = 0.0,
        attention_dropout: float = 0.0,
        num_classes: int = 1000,
        in_channels: int = 3,
    ) -> None:
        if image_size % patch_size:
            raise ValueError(f"VisionTransformer: patch_size must divide image_size {image_size}, got {patch_size}")
        self.image_size = image_size
        self.class_token = nn.Parameter(fg.zeros((1, 1, hidden_dim)))
        self.conv_proj = nn.Conv2d(in_channels, hidden_dim, kernel_size=patch_size, stride=patch_size)
        block = {
            "num_heads": num_heads,
            "hidden_dim": hidden_dim,
            "mlp_dim": mlp_dim,
            "dropout": dropout,
            "attention_dropout": attention_dropout,
        }
        self.encoder = Encoder((image_size // patch_size) ** 2 + 1, num_layers, block, hidden_dim, dropout)
        head = nn.Linear(hidden_dim, num_classes)
        self.heads = nn.Sequential({"head": head})
        nn.init.trunc_normal_(self.conv_proj.weight, std=math.sqrt(1 / (in_channels * patch_size**2)))
        # Logits begin at zero, as in the paper.
        head.load_state_dict({"weight": fg.zeros((num_classes, hidden_dim)), "bias": fg.zeros(num_classes)})

    def forward(self, x: Tensor) -> Tensor:
        if x.shape[2:] != (self.image_size, self.image_size):
            size = self.image_size
            raise ShapeError(f"VisionTransformer: expected images (N, C, {size}, {size}), got {tuple(x.shape)}")
        patches = self.conv_proj(x).flatten(2).transpose(1, 2)  # (N, patches, hidden_dim)
        token = fg.broadcast_to(self.class_token, (len(x), *self.class_token.shape[1:]))
        return self.heads(self.encoder(fg.concat([token, patches], axis=1))[:, 0])


def vit_b_16(**settings: Any) -> VisionTransformer:
    """ViT-B/16 for images of 224 pixels: 12 layers, 12 heads, 768 wide; settings as in `VisionTransformer`."""
    sizes = {"image_size": 224, "patch_size": 16, "num_layers": 12, "num_heads": 12, "hidden_dim": 768, "mlp_dim": 3072}
    return VisionTransformer(**{**sizes, **settings})
