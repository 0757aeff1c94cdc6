"""The networks of EEG and EMG: three stacked LSTMs, one logit, and the embedding that it is read from.

``BandLstm`` reads band tokens, a hundred steps of a window; ``BankLstm`` makes them itself with a bank that it may
change; ``RawLstm`` is the paper's and reads all 10,000 samples. What else is read from the embedding is in ``heads``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from training.data.tokens import FLOOR, N_BANDS, BankSpec
from training.models.heads import FmaHead, Heads, OrdinalHead

#: Width of each LSTM, from the input to the embedding (the paper's).
WIDTHS = (128, 64, 32)
#: Added to the forget gate's bias: at the default a state fades within a dozen steps.
FORGET_BIAS = 1.0
#: Standardised tokens are held within this many deviations: an electrode that fell off must not shout.
CLIP = 4.0

Kind = Literal["bands", "raw"]
Readout = Literal["mean", "last"]


@dataclass(frozen=True)
class NetworkSpec:
    """Which network.

    Parameters
    ----------
    kind : {"bands", "raw"}
        What it reads: band tokens, or z-scored samples.
    readout : {"mean", "last"}
        The embedding is the mean of the last layer's states, or the last of them (the paper's).
    widths : tuple of int
        Of the LSTMs; the last is that of the embedding.
    dropout : float
        Share of values dropped between layers while training.
    heads : tuple of {"fma", "ordinal"}
        What is read from the embedding beside the logit.
    learn_bank : bool
        Whether the bank of ``bands`` is trained too; it starts as the fixed one, and the network reads samples.
    """

    kind: Kind = "bands"
    readout: Readout = "mean"
    widths: tuple[int, ...] = WIDTHS
    dropout: float = 0.3
    heads: tuple[Literal["fma", "ordinal"], ...] = ()
    learn_bank: bool = False

    @property
    def reads_samples(self) -> bool:
        """Whether it is shown windows of samples, not tokens."""
        return self.kind == "raw" or self.learn_bank


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


class StackedLstm(nn.Module):
    """Inputs (batch, n_steps, n_inputs) to logit (batch,) and embedding (batch, widths[-1]).

    Parameters
    ----------
    n_inputs : int
        Values of a step.
    dropout : float
        Share of values dropped between layers while training.
    readout : {"mean", "last"}
        How the last layer's states become the embedding.
    widths : sequence of int
        Of the layers.
    heads : Heads
        What else is read from the embedding.
    """

    def __init__(
        self,
        n_inputs: int,
        dropout: float = 0.3,
        readout: Readout = "mean",
        widths: tuple[int, ...] = WIDTHS,
        heads: Heads | None = None,
    ) -> None:
        super().__init__()
        sizes = (n_inputs, *widths)
        self.readout = readout
        self.layers = nn.ModuleList(nn.LSTM(i, o, batch_first=True) for i, o in zip(sizes[:-1], widths, strict=True))
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(widths[-1], 1)
        self.fma = FmaHead(widths[-1], heads.fma) if heads and heads.fma else None
        self.ordinal = OrdinalHead(widths[-1]) if heads and heads.ordinal else None
        self._set_forget_bias()

    def _set_forget_bias(self) -> None:
        with torch.no_grad():
            for layer in self.layers:
                n = cast(nn.LSTM, layer).hidden_size
                cast(Tensor, layer.bias_ih_l0)[n : 2 * n] += FORGET_BIAS

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return logit and embedding."""
        for layer in self.layers:
            x, _ = layer(self.dropout(x))
        embedding = x.mean(dim=1) if self.readout == "mean" else x[:, -1]
        return self.head(self.dropout(embedding)).squeeze(-1), embedding

    def beside(self, embedding: Tensor) -> dict[str, Tensor]:
        """Return what the other heads read from an embedding: ``fma`` (batch,), ``ordinal`` (batch, n_cuts)."""
        heads = {"fma": self.fma, "ordinal": self.ordinal}
        return {name: head(self.dropout(embedding)) for name, head in heads.items() if head is not None}


class BandLstm(StackedLstm):
    """Tokens (batch, n_steps, n_tokens) to logit (batch,) and embedding (batch, 32).

    Parameters
    ----------
    scale : Scale
        Standardises the tokens; part of the network, not trained.
    dropout, readout, widths, heads
        As in ``StackedLstm``.
    """

    def __init__(
        self,
        scale: Scale,
        dropout: float = 0.3,
        readout: Readout = "mean",
        widths: tuple[int, ...] = WIDTHS,
        heads: Heads | None = None,
    ) -> None:
        super().__init__(len(scale.mean), dropout, readout, widths, heads)
        self.register_buffer("mean", torch.from_numpy(scale.mean))
        self.register_buffer("inverse_sd", torch.from_numpy((1.0 / scale.sd).astype(np.float32)))

    def forward(self, tokens: Tensor) -> tuple[Tensor, Tensor]:
        """Return logit and embedding."""
        mean, inverse_sd = self.get_buffer("mean"), self.get_buffer("inverse_sd")
        return super().forward(((tokens - mean) * inverse_sd).clamp(-CLIP, CLIP))


class Bank(nn.Module):
    """The filter bank as a convolution that can be trained; it starts with the fixed coefficients.

    Parameters
    ----------
    spec : BankSpec
        The fixed bank.
    """

    def __init__(self, spec: BankSpec) -> None:
        super().__init__()
        self.spec = spec
        self.kernels = nn.Parameter(torch.from_numpy(spec.kernels()).float().unsqueeze(1))
        self.register_buffer("sums", torch.from_numpy(spec.sums()).float().unsqueeze(2))

    def forward(self, x: Tensor) -> Tensor:
        """Return tokens (batch, n_steps, n_channels * n_bands) of samples (batch, n_samples, n_channels)."""
        n_windows, n_samples, n_channels = x.shape
        rows = nn.functional.pad(x.transpose(1, 2).reshape(-1, 1, n_samples), (self.spec.n_pad, 0))
        waves = nn.functional.conv1d(rows, self.kernels, stride=self.spec.stride)
        power = nn.functional.conv1d(waves.square(), self.get_buffer("sums"))
        return (power + FLOOR).log().reshape(n_windows, n_channels * N_BANDS, -1).transpose(1, 2)


class BankLstm(BandLstm):
    """``BandLstm`` behind a bank that learns: samples (batch, n_samples, n_channels) to logit and embedding.

    Parameters
    ----------
    scale : Scale
        Of the fixed bank's tokens.
    dropout, readout, widths, heads
        As in ``StackedLstm``.
    bank : BankSpec, optional
        Where the bank starts.
    """

    def __init__(
        self,
        scale: Scale,
        dropout: float = 0.3,
        readout: Readout = "mean",
        widths: tuple[int, ...] = WIDTHS,
        heads: Heads | None = None,
        bank: BankSpec | None = None,
    ) -> None:
        super().__init__(scale, dropout, readout, widths, heads)
        self.bank = Bank(bank or BankSpec())

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return logit and embedding."""
        return super().forward(self.bank(x))


class RawLstm(StackedLstm):
    """The paper's: z-scored samples (batch, n_samples, n_channels) to logit (batch,) and embedding (batch, 32).

    Parameters
    ----------
    n_channels : int
        Of the montage.
    dropout, readout, widths, heads
        As in ``StackedLstm``; read out is the last state.
    """

    def __init__(
        self,
        n_channels: int,
        dropout: float = 0.3,
        readout: Readout = "last",
        widths: tuple[int, ...] = WIDTHS,
        heads: Heads | None = None,
    ) -> None:
        super().__init__(n_channels, dropout, readout, widths, heads)


def build(spec: NetworkSpec, n_inputs: int, scale: Scale | None = None, heads: Heads | None = None) -> StackedLstm:
    """Return the untrained network of `spec`; its first weights come from torch's generator.

    Parameters
    ----------
    spec : NetworkSpec
        Which.
    n_inputs : int
        Channels of the montage.
    scale : Scale, optional
        Of the tokens; `bands` needs it.
    heads : Heads, optional
        What the other heads need to know.
    """
    options = (spec.dropout, spec.readout, spec.widths, heads)
    if spec.kind == "raw":
        return RawLstm(n_inputs, *options)
    assert scale is not None
    return BankLstm(scale, *options) if spec.learn_bank else BandLstm(scale, *options)
