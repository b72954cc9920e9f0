"""Learn to draw digits by deceiving a discriminator: a DCGAN.

python examples/dcgan.py [PATH/mnist.npz] --output digits.png
"""

import numpy as np
from example_data import image_parser, load_images, save_picture
from tqdm import trange

import ferrograd as fg
from ferrograd.models import DCGAN

parser = image_parser(__doc__)
parser.add_argument("--iterations", type=int, default=1500)
parser.add_argument("--width", type=int, default=16)
parser.add_argument("--learning-rate", type=float, default=5e-4)
parser.add_argument("--output", help="a picture of generated digits, renewed five times")
arguments = parser.parse_args()
random = np.random.default_rng(arguments.seed)

(x_train, _), _ = load_images(arguments)
model = DCGAN(width=arguments.width)
sides = (model.discriminator, model.generator)
judge, forger = (fg.optim.Adam(side.parameters(), lr=arguments.learning_rate, betas=(0.5, 0.999)) for side in sides)
noise = model.noise(60)  # always the same, so that one sees the pictures develop

report = max(arguments.iterations // 5, 1)
for iteration in trange(1, arguments.iterations + 1, leave=False):
    images = fg.asarray(2 * x_train[random.integers(0, len(x_train), 64)] - 1)
    judged = model.discriminator_loss(images)
    judge.zero_grad()
    judged.backward()
    judge.step()

    forged = model.generator_loss(len(images))
    forger.zero_grad()
    forged.backward()
    forger.step()
    if iteration % report == 0:
        print(f"iteration {iteration}: discriminator {judged.item():.3f}, generator {forged.item():.3f}")
        if arguments.output:
            with fg.no_grad():
                save_picture(arguments.output, model(noise).numpy() / 2 + 0.5)
