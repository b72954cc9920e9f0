"""Learn an embedding from some digits and tell pairs of others apart, as FaceNet does with faces.

python examples/facenet.py [PATH/mnist.npz]

Training sees the digits 0 to 6 only; afterwards, are two images of 7, 8 or 9 the same digit?
"""

import numpy as np
from example_data import image_parser, load_images
from tqdm import trange

import ferrograd as fg
from ferrograd.models import FaceNet

parser = image_parser(__doc__)
parser.add_argument("--iterations", type=int, default=300)
parser.add_argument("--learning-rate", type=float, default=1e-3)
arguments = parser.parse_args()
random = np.random.default_rng(arguments.seed)

(x_train, y_train), (x_test, y_test) = load_images(arguments)
identities = [np.flatnonzero(y_train == digit) for digit in range(7)]
unseen = np.flatnonzero(y_test >= 7)[:600]
model = FaceNet(32, in_channels=1, width=8)
optimizer = fg.optim.Adam(model.parameters(), lr=arguments.learning_rate)


def verification():
    """Share of pairs of unseen digits that the best threshold on the distance decides rightly; chance is 1/2."""
    model.eval()
    with fg.no_grad():
        points = model(fg.asarray(x_test[unseen])).numpy()
    model.train()
    first, second = random.integers(0, len(unseen), (2, 4000))
    same = y_test[unseen][first] == y_test[unseen][second]
    distances = ((points[first] - points[second]) ** 2).sum(axis=1)
    thresholds = np.quantile(distances, np.linspace(0, 1, 101))
    return max(((distances[same] <= t).mean() + (distances[~same] > t).mean()) / 2 for t in thresholds)


print(f"pairs of unseen digits told apart before training: {100 * verification():.1f} %")
for _ in trange(arguments.iterations, leave=False):
    chosen = np.concatenate([random.choice(members, 8) for members in identities])
    loss = model.loss(model(fg.asarray(x_train[chosen])), fg.asarray(y_train[chosen]))
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
print(f"pairs of unseen digits told apart after training: {100 * verification():.1f} %")
