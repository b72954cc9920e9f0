"""Layers called one after the other, gradients as values, and an optimizer that is handed both.

python examples/api_layer_by_layer.py [PATH/mnist.npz] [--samples N]
"""

import numpy as np
from example_data import image_parser, load_images

from ferrograd.api import Activation, Adam, Backpropagation, Conv2D, DataLoader, Dense, MaxPooling2D, compute_loss

train_data, (test_images, test_labels) = load_images(image_parser(__doc__).parse_args(), channels_last=True)

conv = Conv2D(filters=32, kernel_size=(3, 3))
relu = Activation("relu")
pool = MaxPooling2D(pool_size=(2, 2))
dense = Dense(units=10)
softmax = Activation("softmax")


def forward(images):
    """Class probabilities."""
    x = relu.forward(conv.forward(images))
    x = pool.forward(x)
    return softmax.forward(dense.forward(x))


backpropagation = Backpropagation()
optimizer = Adam(learning_rate=0.001)

for epoch in range(3):
    for images, labels in DataLoader(train_data, batch_size=32):
        output = forward(images)
        loss = compute_loss(output, labels)
        gradients = backpropagation.backward(output, labels)
        weights = conv.weights + dense.weights
        optimizer.update_params(weights, gradients)
    print(f"epoch {epoch + 1}: loss {loss.item():.4f}")

predicted = forward(test_images[:2000]).numpy().argmax(axis=1)
print(f"Test accuracy: {np.mean(predicted == test_labels[:2000]):.4f}")
