"""Learn an embedding from some digits and tell pairs of others apart, as FaceNet does with faces.

python examples/facenet.py [PATH/mnist.npz]

Training sees digits 0 to 6. Do two images then show the same digit: new images of these, and images of 7, 8 and 9?
"""

import numpy as np
from example_data import image_parser, load_images
from tqdm import trange

import ferrograd as fg
from ferrograd import nn
from ferrograd.models import FaceNet

parser = image_parser(__doc__)
parser.add_argument("--iterations", type=int, default=300)
parser.add_argument("--learning-rate", type=float, default=1e-3)
arguments = parser.parse_args()
random = np.random.default_rng(arguments.seed)

(x_train, y_train), (x_test, y_test) = load_images(arguments)
identities = [np.flatnonzero(y_train == digit) for digit in range(7)]
known, unseen = np.flatnonzero(y_test < 7)[:600], np.flatnonzero(y_test >= 7)[:600]
layers = []
for wide, narrow in ((1, 16), (16, 32), (32, 64)):
    layers += [nn.Conv2d(wide, narrow, 3, padding=1), nn.BatchNorm2d(narrow), nn.ReLU(), nn.MaxPool2d(2)]
model = FaceNet(trunk=nn.Sequential(*layers, nn.Flatten(), nn.Linear(64 * 9, 32)))
optimizer = fg.optim.Adam(model.parameters(), lr=arguments.learning_rate)


def verification(chosen):
    """Percentage of pairs of these images that the best threshold on the distance decides rightly; chance is 50."""
    model.eval()
    with fg.no_grad():
        points = model(fg.asarray(x_test[chosen])).numpy()
    model.train()
    first, second = random.integers(0, len(chosen), (2, 4000))
    same = y_test[chosen][first] == y_test[chosen][second]
    distances = ((points[first] - points[second]) ** 2).sum(axis=1)
    thresholds = np.quantile(distances, np.linspace(0, 1, 101))
    return 100 * max(((distances[same] <= t).mean() + (distances[~same] > t).mean()) / 2 for t in thresholds)


def report(when):
    old, new = verification(known), verification(unseen)
    print(f"pairs told apart {when} training: {old:.1f} % of known digits, {new:.1f} % of new")


report("before")
for _ in trange(arguments.iterations, leave=False):
    chosen = np.concatenate([random.choice(members, 8) for members in identities])
    loss = model.loss(model(fg.asarray(x_train[chosen])), fg.asarray(y_train[chosen]))
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
report("after")
