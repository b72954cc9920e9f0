"""Classify handwritten digits with one of the classic networks, in a small size.

python examples/image_classifier.py [PATH/mnist.npz] --model resnet18
"""

from example_data import image_parser, load_images

import ferrograd as fg
from ferrograd.models import MLP, VGG, AlexNet, GoogLeNet, LeNet5, VisionTransformer, resnet18

# Network, and the height and width of the images that it is given.
MODELS = {
    "mlp": (lambda: MLP(784, (256, 128), num_classes=10, dropout=0.1), 28),
    "lenet": (lambda: LeNet5(), 28),
    "alexnet": (lambda: AlexNet(10, in_channels=1, width=1 / 8), 64),
    "vgg11": (lambda: VGG(11, batch_norm=True, num_classes=10, in_channels=1, width=1 / 8), 32),
    "googlenet": (lambda: GoogLeNet(10, aux_logits=False, in_channels=1, width=1 / 8), 64),
    "resnet18": (lambda: resnet18(num_classes=10, in_channels=1, width=16), 28),
    "vit": (lambda: VisionTransformer(28, 7, 4, 4, hidden_dim=64, mlp_dim=128, num_classes=10, in_channels=1), 28),
}

parser = image_parser(__doc__)
parser.add_argument("--model", choices=MODELS, default="lenet")
parser.add_argument("--epochs", type=int, default=5)
parser.add_argument("--batch-size", type=int, default=64)
parser.add_argument("--learning-rate", type=float, default=2e-3)
arguments = parser.parse_args()

make, size = MODELS[arguments.model]
train_data, test_data = load_images(arguments, size)
model = make()
print(f"{arguments.model}: {sum(p.size for p in model.parameters()):,} parameters, {len(train_data[0]):,} images")

steps = arguments.epochs * -(-len(train_data[0]) // arguments.batch_size)
optimizer = fg.optim.AdamW(model.parameters(), lr=arguments.learning_rate, weight_decay=0.05)
trainer = fg.train.Trainer(
    model,
    train_data,
    batch_size=arguments.batch_size,
    optimizer=optimizer,
    scheduler=fg.optim.CosineAnnealingLR(optimizer, T_max=steps),
    loss="cross_entropy",
    metrics=["accuracy"],
    validation_data=test_data,
    max_grad_norm=1.0,
)
history = trainer.fit(arguments.epochs)
print(f"test accuracy: {100 * history[-1]['val_accuracy']:.2f} %")
