"""Models of the field's textbooks: one readable file each, imported when it is first named."""

from __future__ import annotations

import importlib
from typing import Any

# Each name and the file of this folder that it is in.
_FILES = {
    "AlexNet": "alexnet",
    "Autoencoder": "autoencoder",
    "CharLSTM": "char_lstm",
    "DCGAN": "dcgan",
    "DeepFM": "deepfm",
    "DeepSpeech": "deepspeech",
    "FaceNet": "facenet",
    "GPT": "gpt",
    "GPTConfig": "gpt",
    "GRUClassifier": "text_rnn",
    "GoogLeNet": "googlenet",
    "LSTMClassifier": "text_rnn",
    "LeNet5": "lenet",
    "MLP": "mlp",
    "NCF": "ncf",
    "ResNet": "resnet",
    "SSD": "ssd",
    "Seq2SeqTransformer": "seq2seq",
    "TextCNN": "text_cnn",
    "UNet": "unet",
    "VAE": "vae",
    "VGG": "vgg",
    "VisionTransformer": "vit",
    "WaveNet": "wavenet",
    "resnet101": "resnet",
    "resnet18": "resnet",
    "resnet34": "resnet",
    "resnet50": "resnet",
    "vit_b_16": "vit",
}

__all__ = sorted(_FILES)


def __getattr__(name: str) -> Any:
    if name in _FILES:
        return getattr(importlib.import_module(f"ferrograd.models.{_FILES[name]}"), name)
    raise AttributeError(f"module 'ferrograd.models' has no attribute {name!r}")


def __dir__() -> list[str]:
    return list(__all__)
