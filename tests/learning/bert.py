"""A BERT sentence classifier with transformers' parameter names, as small as the curve needs it."""

from __future__ import annotations

import ferrograd as fg
from ferrograd import nn
from ferrograd.nn import functional as F


def group(**modules):
    return nn.ModuleDict(modules)


class Layer(nn.Module):
    """Post-norm attention and feed-forward."""

    def __init__(self, width, inner, heads, eps=1e-12):
        self.attention = group(
            self=group(query=nn.Linear(width, width), key=nn.Linear(width, width), value=nn.Linear(width, width)),
            output=group(dense=nn.Linear(width, width), LayerNorm=nn.LayerNorm(width, eps)),
        )
        self.intermediate = group(dense=nn.Linear(width, inner))
        self.output = group(dense=nn.Linear(inner, width), LayerNorm=nn.LayerNorm(width, eps))
        self.heads = heads

    def forward(self, x, mask):
        B, T, C = x.shape
        projections, joined = self.attention["self"], self.attention["output"]
        q, k, v = (
            projections[name](x).reshape((B, T, self.heads, C // self.heads)).transpose(1, 2)
            for name in ("query", "key", "value")
        )
        y = F.scaled_dot_product_attention(q, k, v, attn_mask=mask).transpose(1, 2).reshape((B, T, C))
        x = joined["LayerNorm"](x + joined["dense"](y))
        y = self.output["dense"](F.gelu(self.intermediate["dense"](x)))
        return self.output["LayerNorm"](x + y)


class Bert(nn.Module):
    """Embeddings, layers, tanh pooler of the first token, classifier; all token types are 0."""

    def __init__(self, config):
        width = config["hidden_size"]
        self.bert = group(
            embeddings=group(
                word_embeddings=nn.Embedding(config["vocab_size"], width, padding_idx=0),
                position_embeddings=nn.Embedding(config["max_position_embeddings"], width),
                token_type_embeddings=nn.Embedding(config["type_vocab_size"], width),
                LayerNorm=nn.LayerNorm(width, 1e-12),
            ),
            encoder=group(
                layer=nn.ModuleList(
                    [
                        Layer(width, config["intermediate_size"], config["num_attention_heads"])
                        for _ in range(config["num_hidden_layers"])
                    ]
                )
            ),
            pooler=group(dense=nn.Linear(width, width)),
        )
        self.classifier = nn.Linear(width, config["num_labels"])

    def forward(self, ids, attention_mask):
        tables = self.bert["embeddings"]
        positions = fg.arange(ids.shape[1])
        x = tables["word_embeddings"](ids) + tables["position_embeddings"](positions)
        x = tables["LayerNorm"](x + tables["token_type_embeddings"](fg.zeros_like(ids)))
        mask = (attention_mask == 1)[:, None, None, :]
        for layer in self.bert["encoder"]["layer"]:
            x = layer(x, mask)
        return self.classifier(F.tanh(self.bert["pooler"]["dense"](x[:, 0])))
