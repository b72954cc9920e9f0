"""Find and name handwritten digits of several sizes in a scene, with an SSD.

python examples/ssd.py [PATH/mnist.npz]
"""

import numpy as np
from example_data import image_parser, load_images
from tqdm import trange

import ferrograd as fg
from ferrograd.models import SSD
from ferrograd.models.boxes import iou
from ferrograd.nn import functional as F

parser = image_parser(__doc__)
parser.add_argument("--iterations", type=int, default=1200)
parser.add_argument("--batch-size", type=int, default=16)
parser.add_argument("--learning-rate", type=float, default=2e-3)
arguments = parser.parse_args()
random = np.random.default_rng(arguments.seed)
SIZE = 64


def scene(digits, labels):
    """One to three digits of 14 to 30 pixels on a canvas: image (1, SIZE, SIZE), boxes as shares of it, labels."""
    image, boxes, names = random.uniform(0, 0.2, (1, SIZE, SIZE)).astype(np.float32), [], []
    for index in random.integers(0, len(digits), random.integers(1, 4)):
        side = int(random.integers(14, 31))
        drawn = F.interpolate(fg.asarray(digits[index : index + 1]), size=(side, side), mode="bilinear").numpy()[0, 0]
        ink_rows, ink_columns = (np.flatnonzero((drawn > 0.3).any(axis=axis)) for axis in (1, 0))
        top, left = random.integers(0, SIZE - side, 2)
        corners = left + ink_columns[0], top + ink_rows[0], left + ink_columns[-1] + 1, top + ink_rows[-1] + 1
        box = np.array([corners]) / SIZE
        if boxes and iou(box, np.array(boxes)).max() > 0:
            continue
        window = image[0, top : top + side, left : left + side]
        np.maximum(window, drawn, out=window)
        boxes.append(box[0])
        names.append(labels[index])
    return image, np.array(boxes), np.array(names)


def batch(digits, labels, count):
    images, boxes, names = zip(*(scene(digits, labels) for _ in range(count)), strict=True)
    return fg.asarray(np.stack(images)), list(zip(boxes, names, strict=True))


(x_train, y_train), (x_test, y_test) = load_images(arguments)
model = SSD(10, SIZE)
optimizer = fg.optim.Adam(model.parameters(), lr=arguments.learning_rate)
schedule = fg.optim.CosineAnnealingLR(optimizer, T_max=arguments.iterations)
for iteration in (bar := trange(arguments.iterations, leave=False)):
    images, truths = batch(x_train, y_train, arguments.batch_size)
    loss = model.loss(model(images), truths)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    schedule.step()
    if iteration % 20 == 0:
        bar.set_postfix_str(f"loss {loss.item():.3f}")

model.eval()
images, truths = batch(x_test, y_test, 200)
right = detected = present = 0
for found, (boxes, names) in zip(model.detect(images), truths, strict=True):
    detected, present = detected + len(found.boxes), present + len(boxes)
    if len(found.boxes):
        hits = (iou(boxes, found.boxes) > 0.5) & (names[:, None] == found.labels)
        right += int(hits.any(axis=1).sum())
print(f"{right} of {present} digits found and named ({100 * right / present:.1f} %), by {detected} boxes")
