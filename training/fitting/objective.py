"""What training makes small: the cross-entropy of windows, and beside it the errors of the other heads."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn

from training.errors import TrainingError
from training.models.heads import FmaHead, OrdinalHead
from training.models.networks import StackedLstm

#: What a head beside the logit counts against it: the embedding is the logit's first of all.
HEAD_WEIGHT = 0.5
#: A refusal names so many patients.
N_NAMED = 5


class RowLosses(NamedTuple):
    """Losses of rows, each of shape (batch,): that which is made small, and the logit's part, which is judged."""

    whole: Tensor
    of_logit: Tensor


def window_losses(net: StackedLstm, x: Tensor, good: Tensor, fma: Tensor) -> RowLosses:
    """Return the losses of windows.

    Parameters
    ----------
    net : StackedLstm
    x : Tensor
        Windows as the network reads them.
    good : Tensor, shape (batch,)
        1 where the outcome is good, else 0.
    fma : Tensor, shape (batch,)
        Score at follow-up in points; NaN where it is not known, then the other heads are not asked.
    """
    logit, embedding = net(x)
    loss = of_logit = nn.functional.binary_cross_entropy_with_logits(logit, good, reduction="none")
    known = fma.isfinite()
    target = torch.where(known, fma, 0.0)
    for name, values in net.beside(embedding).items():
        head = net.fma if name == "fma" else net.ordinal
        assert isinstance(head, FmaHead | OrdinalHead)
        loss = loss + HEAD_WEIGHT * torch.where(known, head.losses(values, target), 0.0)
    return RowLosses(loss, of_logit)


def refuse_not_finite(losses: Tensor, patients: Sequence[str], epoch: int) -> None:
    """Stop a fit whose loss is no number any more.

    Parameters
    ----------
    losses : Tensor, shape (batch,)
        Of windows, or of patients.
    patients : sequence of str
        Whose each is.
    epoch : int
        Counted from 0.

    Raises
    ------
    TrainingError
        If one of them is not finite; names the epoch and the patients.
    """
    bad = (~losses.isfinite()).tolist()
    if any(bad):
        raise not_finite("loss", [patient for patient, is_bad in zip(patients, bad, strict=True) if is_bad], epoch)


def not_finite(what: str, patients: Sequence[str], epoch: int) -> TrainingError:
    """Return the refusal of a loss or gradient that is no number."""
    names = sorted(set(patients))
    more = f" and {len(names) - N_NAMED} more" if len(names) > N_NAMED else ""
    who = f"patient{'s' if len(names) > 1 else ''} {', '.join(names[:N_NAMED])}{more}"
    return TrainingError(
        f"The {what} of {who} is not a finite number in epoch {epoch + 1}.",
        subject=names[0],
        remedy="Lower fit.learning_rate; if it comes back at once, look at these recordings: flexion cohort check.",
    )
