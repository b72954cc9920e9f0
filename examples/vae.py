"""Learn to draw digits with a variational autoencoder.

python examples/vae.py [PATH/mnist.npz] --output digits.png
"""

from example_data import image_parser, load_images, save_picture
from tqdm import tqdm

import ferrograd as fg
from ferrograd.data import DataLoader, TensorDataset
from ferrograd.models import VAE

parser = image_parser(__doc__)
parser.add_argument("--epochs", type=int, default=10)
parser.add_argument("--learning-rate", type=float, default=1e-3)
parser.add_argument("--output", help="a picture of new digits")
arguments = parser.parse_args()

(x_train, _), (x_test, _) = load_images(arguments)
model = VAE(code_size=20)
optimizer = fg.optim.Adam(model.parameters(), lr=arguments.learning_rate)

for epoch in range(arguments.epochs):
    for (images,) in tqdm(DataLoader(TensorDataset(x_train), 128, shuffle=True), leave=False):
        loss = model.loss(images)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    with fg.no_grad():
        print(f"epoch {epoch + 1}: test images, -log p at most {float(model.loss(fg.asarray(x_test))):.2f} nats")

if arguments.output:
    save_picture(arguments.output, model.sample(60).numpy())
