"""LexRank (Erkan and Radev, 2004, https://doi.org/10.1613/jair.1523): how central each sentence is among others."""

import math
from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

_ALIKE = 0.1  # the paper's threshold of the idf-modified cosine
_SETTLED = 0.1


def lexrank(sentences: Sequence[Sequence[str]]) -> NDArray[np.float64]:
    """The centrality of each sentence, given as its words; shape (n,). All are 0 where no two sentences are alike."""
    place = {word: number for number, word in enumerate(sorted({word for one in sentences for word in one}))}
    weights = np.zeros((len(sentences), len(place)))
    for row, words in zip(weights, sentences, strict=True):
        counts = Counter(words)
        for word, count in counts.items():
            row[place[word]] = count / max(counts.values())
    spread = np.count_nonzero(weights, axis=0)
    weights *= np.log(len(sentences) / (1 + spread))
    lengths = np.linalg.norm(weights, axis=1)
    lengths[lengths == 0] = math.inf
    alike = (weights @ weights.T) / np.outer(lengths, lengths) > _ALIKE
    links = alike / np.maximum(alike.sum(axis=1, keepdims=True), 1)
    scores = np.full(len(sentences), 1 / len(sentences))
    while True:
        following: NDArray[np.float64] = links.T @ scores
        length = np.linalg.norm(following)
        if length == 0:
            return np.zeros(len(sentences))
        following /= length
        if np.linalg.norm(following - scores) <= _SETTLED:
            return following
        scores = following
