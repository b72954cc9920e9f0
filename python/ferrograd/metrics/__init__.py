"""Metrics: figures collected over the batches of an epoch, the same however samples are divided into batches."""

from ferrograd.metrics.base import Metric
from ferrograd.metrics.classification import F1, Accuracy, ConfusionMatrix, MeanIoU, Precision, Recall, TopKAccuracy
from ferrograd.metrics.ranking import AUROC, AveragePrecision
from ferrograd.metrics.regression import R2, MeanAbsoluteError, MeanSquaredError
from ferrograd.metrics.text import BLEU, ROUGE, Perplexity

__all__ = [
    "AUROC",
    "BLEU",
    "F1",
    "R2",
    "ROUGE",
    "Accuracy",
    "AveragePrecision",
    "ConfusionMatrix",
    "MeanAbsoluteError",
    "MeanIoU",
    "MeanSquaredError",
    "Metric",
    "Perplexity",
    "Precision",
    "Recall",
    "TopKAccuracy",
]
