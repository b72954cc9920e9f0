"""Find the pixels of a handwritten digit among noise and strokes, with a U-Net.

python examples/unet.py [PATH/mnist.npz] --output masks.png
"""

import numpy as np
from example_data import image_parser, load_images, save_picture

import ferrograd as fg
from ferrograd.models import UNet

parser = image_parser(__doc__)
parser.add_argument("--epochs", type=int, default=4)
parser.add_argument("--output", help="a picture of scenes, masks and what was found")
arguments = parser.parse_args()
arguments.samples = arguments.samples or 2000
random = np.random.default_rng(arguments.seed)


def scenes(digits, size=48):
    """Images (N, 1, size, size) with a digit each among noise and straight strokes, and masks of the digits."""
    images = random.uniform(0, 0.5, (len(digits), 1, size, size)).astype(np.float32)
    masks = np.zeros((len(digits), size, size), dtype=np.int64)
    for image, mask, digit in zip(images, masks, digits, strict=True):
        for _ in range(6):
            (row, column), length = random.integers(0, size, 2), random.integers(8, 24)
            line = (slice(row, row + 2), slice(column, column + length))
            image[0][line if random.random() < 0.5 else line[::-1]] = random.uniform(0.5, 1)
        top, left = random.integers(0, size - 28, 2)
        window = (slice(top, top + 28), slice(left, left + 28))
        image[0][window] = np.where(digit[0] > 0.3, digit[0], image[0][window])
        mask[window] = digit[0] > 0.3
    return images, masks


(x_train, _), (x_test, _) = load_images(arguments)
train_data, test_data = scenes(x_train), scenes(x_test[:500])
model = UNet(1, num_classes=2, width=8, depth=3)
optimizer = fg.optim.Adam(model.parameters(), lr=3e-3)
trainer = fg.train.Trainer(model, train_data, optimizer=optimizer, loss="cross_entropy", validation_data=test_data)
trainer.fit(arguments.epochs)

found = trainer.predict((test_data[0],)).numpy().argmax(axis=1) == 1
wanted = test_data[1] == 1
overlap = (found & wanted).sum() / (found | wanted).sum()
print(f"intersection over union of the digits' pixels: {overlap:.3f}")
if arguments.output:
    rows = [test_data[0][:10], wanted[:10, None], found[:10, None]]
    save_picture(arguments.output, np.concatenate(rows).astype(np.float32))
