"""Squeeze digits through a code of 16 numbers and draw them again.

python examples/autoencoder.py [PATH/mnist.npz] --output reconstructions.png
"""

import numpy as np
from example_data import image_parser, load_images, save_picture

import ferrograd as fg
from ferrograd.models import Autoencoder

parser = image_parser(__doc__)
parser.add_argument("--epochs", type=int, default=5)
parser.add_argument("--code-size", type=int, default=16)
parser.add_argument("--output", help="a picture of digits, and below each what came back")
arguments = parser.parse_args()

(x_train, _), (x_test, _) = load_images(arguments)
model = Autoencoder(arguments.code_size)
trainer = fg.train.Trainer(
    model,
    (x_train, x_train),
    batch_size=64,
    optimizer=fg.optim.Adam(model.parameters(), lr=2e-3),
    loss="mse",
    validation_data=(x_test, x_test),
)
trainer.fit(arguments.epochs)

mean_image = x_train.mean(axis=0, keepdims=True)
error, baseline = trainer.evaluate()["loss"], float(((x_test - mean_image) ** 2).mean())
print(f"squared error per pixel {error:.4f}; the mean image has {baseline:.4f}")
if arguments.output:
    save_picture(arguments.output, np.concatenate([x_test[:10], trainer.predict(fg.asarray(x_test[:10])).numpy()]))
