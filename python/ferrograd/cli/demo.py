"""Train a small network on real handwritten digits, save it, load it, look at its predictions."""

from __future__ import annotations

import argparse
import time

import ferrograd as fg
from ferrograd import nn
from ferrograd.data import DataLoader, TensorDataset
from ferrograd.datasets import load_digits
from ferrograd.train import Trainer, load_checkpoint

SHADES = " .:-=+*#%@"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's options."""
    parser.add_argument("--epochs", type=int, default=10, help="passes over the training images (default: 10)")
    parser.add_argument("--seed", type=int, default=0, help="of initial weights and order (default: 0)")
    parser.add_argument("--output", default="runs/demo", help="folder of the checkpoint (default: runs/demo)")


def make_model() -> nn.Sequential:
    """Three convolutions with batch norm and a linear layer: (N, 1, 8, 8) -> (N, 10)."""
    return nn.Sequential(
        nn.Conv2d(1, 32, kernel_size=3, padding=1),
        nn.BatchNorm2d(32),
        nn.ReLU(),
        nn.Conv2d(32, 32, kernel_size=3, padding=1),
        nn.BatchNorm2d(32),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(32, 64, kernel_size=3, padding=1),
        nn.BatchNorm2d(64),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Dropout(0.25),
        nn.Linear(256, 10),
    )


def run(arguments: argparse.Namespace) -> None:
    """Train, save, reload, evaluate, draw."""
    if arguments.epochs < 1:
        raise ValueError(f"--epochs must be at least 1, got {arguments.epochs}")
    fg.manual_seed(arguments.seed)
    train, test = load_digits()
    model = make_model()
    parameters = sum(p.size for p in model.parameters())
    print(f"{len(train)} handwritten digits to learn from, {len(test)} to be tested on; {parameters:,} parameters")

    loader = DataLoader(train, batch_size=32, shuffle=True)
    optimizer = fg.optim.AdamW(model.parameters(), lr=3e-3)
    trainer = Trainer(
        model,
        loader,
        optimizer=optimizer,
        scheduler=fg.optim.CosineAnnealingLR(optimizer, T_max=arguments.epochs * len(loader)),
        loss="cross_entropy",
        metrics=["accuracy"],
        validation_data=test,
    )
    start = time.perf_counter()
    trainer.fit(arguments.epochs)
    print(f"trained {arguments.epochs} epochs in {time.perf_counter() - start:.1f} s")
    path = trainer.save(arguments.output)

    reloaded = make_model()
    load_checkpoint(path, reloaded)
    judge = Trainer(reloaded, test, optimizer=trainer.optimizer, metrics=["accuracy"])
    accuracy = judge.evaluate(test)["accuracy"]
    print(f"saved {path} and loaded it into a new model")
    print(f"test accuracy: {100 * accuracy:.2f} %\n")
    print(draw_predictions(judge, test))


def draw_predictions(judge: Trainer, test: TensorDataset, count: int = 5) -> str:
    """The first images of the test set side by side, with what the model sees in them."""
    images, labels = test.__getitems__(range(count))
    predicted = fg.argmax(judge.predict(images), axis=1).tolist()
    drawings = [_draw(image) for image in images.tolist()]
    rows = ["   ".join(lines) for lines in zip(*drawings, strict=True)]
    captions = [f"predicted {p}, is {t}" for p, t in zip(predicted, labels.tolist(), strict=True)]
    return "\n".join([*rows, "   ".join(caption.ljust(16) for caption in captions)])


def _draw(image: list[list[list[float]]]) -> list[str]:
    """An image (1, H, W) of 0 ... 1 as lines of text, two characters per pixel."""
    return ["".join(SHADES[round(pixel * (len(SHADES) - 1))] * 2 for pixel in row) for row in image[0]]
