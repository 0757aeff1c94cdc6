"""The network of ``lstm-bands``: band tokens, three stacked LSTMs, the mean over time, one logit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

#: Width of each LSTM, from the tokens to the embedding (the paper's).
WIDTHS = (128, 64, 32)
#: Added to the forget gate's bias: at the default a state fades within a dozen steps.
FORGET_BIAS = 1.0
#: Standardised tokens are held within this many deviations: an electrode that fell off must not shout.
CLIP = 4.0


@dataclass(frozen=True)
class Scale:
    """Mean and deviation of every token over the training windows, frozen; both of shape (n_tokens,)."""

    mean: NDArray[np.float32]
    sd: NDArray[np.float32]

    @classmethod
    def of(cls, tokens: NDArray[np.float32]) -> Scale:
        """Measure tokens of shape (n_windows, n_steps, n_tokens)."""
        flat = tokens.reshape(-1, tokens.shape[-1]).astype(np.float64)
        return cls(flat.mean(axis=0).astype(np.float32), np.maximum(flat.std(axis=0), 1e-3).astype(np.float32))


class BandLstm(nn.Module):
    """Tokens (batch, n_steps, n_tokens) to logit (batch,) and embedding (batch, 32).

    Parameters
    ----------
    scale : Scale
        Standardises the tokens; part of the network, not trained.
    dropout : float
        Share of values dropped between layers while training.
    """

    def __init__(self, scale: Scale, dropout: float = 0.3) -> None:
        super().__init__()
        self.register_buffer("mean", torch.from_numpy(scale.mean))
        self.register_buffer("inverse_sd", torch.from_numpy((1.0 / scale.sd).astype(np.float32)))
        sizes = (len(scale.mean), *WIDTHS)
        self.layers = nn.ModuleList(nn.LSTM(i, o, batch_first=True) for i, o in zip(sizes[:-1], WIDTHS, strict=True))
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(WIDTHS[-1], 1)
        self._set_forget_bias()

    def _set_forget_bias(self) -> None:
        with torch.no_grad():
            for layer in self.layers:
                n = cast(nn.LSTM, layer).hidden_size
                cast(Tensor, layer.bias_ih_l0)[n : 2 * n] += FORGET_BIAS

    def forward(self, tokens: Tensor) -> tuple[Tensor, Tensor]:
        """Return logit and embedding."""
        mean, inverse_sd = self.get_buffer("mean"), self.get_buffer("inverse_sd")
        h = ((tokens - mean) * inverse_sd).clamp(-CLIP, CLIP)
        for layer in self.layers:
            h, _ = layer(self.dropout(h))
        embedding = h.mean(dim=1)
        return self.head(self.dropout(embedding)).squeeze(-1), embedding
