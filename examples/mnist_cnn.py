"""Train a convolutional network on MNIST for one epoch: about 98 % of the test images right.

    python examples/mnist_cnn.py PATH/mnist.npz

The file has x_train, y_train, x_test and y_test, as Keras's `mnist.npz`.
"""

import argparse

from example_data import existing

import ferrograd as fg
from ferrograd import nn

parser = argparse.ArgumentParser(description="Train a convolutional network on MNIST.")
parser.add_argument("path", type=existing, help="the .npz file")
parser.add_argument("--epochs", type=int, default=1)
parser.add_argument("--batch-size", type=int, default=64)
parser.add_argument("--learning-rate", type=float, default=1e-3)
parser.add_argument("--seed", type=int, default=0)
arguments = parser.parse_args()

fg.manual_seed(arguments.seed)
train, test = fg.datasets.load_mnist(arguments.path)

model = nn.Sequential(
    nn.Conv2d(1, 32, kernel_size=3),
    nn.ReLU(),
    nn.MaxPool2d(2),
    nn.Conv2d(32, 64, kernel_size=3),
    nn.ReLU(),
    nn.MaxPool2d(2),
    nn.Flatten(),
    nn.Linear(1600, 128),
    nn.ReLU(),
    nn.Linear(128, 10),
)

trainer = fg.train.Trainer(
    model,
    fg.data.DataLoader(train, arguments.batch_size, shuffle=True),
    optimizer=fg.optim.AdamW(model.parameters(), lr=arguments.learning_rate),
    loss="cross_entropy",
    metrics=["accuracy"],
    validation_data=fg.data.DataLoader(test, batch_size=1000),
)
history = trainer.fit(arguments.epochs)

print(f"test accuracy after {arguments.epochs} epoch(s): {100 * history[-1]['val_accuracy']:.2f} %")
