"""The networks on spectra in torch: their layers, how they are trained, and how they answer. Imported only where one is used."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import torch
from torch.nn import functional

from onclair.learn.determinism import deterministic
from onclair.learn.nets1d_settings import Architecture, Disturbance, Layout, Resnet1d, Singles, Transformer, disturbed
from onclair.learn.training import train

if TYPE_CHECKING:
    from onclair.learn.nets1d import SpectralNetwork

Floats = npt.NDArray[np.float64]

#: Spectra that are answered at once.
AT_ONCE = 256


def built(architecture: Architecture, layout: Layout) -> torch.nn.Module:
    """Return a network with fresh weights, from (n, channels, bins) to logits (n,)."""
    if isinstance(architecture, Resnet1d):
        return _Resnet(architecture, layout.channels)
    return _Transformer(architecture, layout.channels, layout.bins)


def trained_weights(
    settings: SpectralNetwork, layout: Layout, rows: tuple[Singles, Floats], unit: tuple[Singles, Singles], seed: int
) -> dict[str, npt.NDArray[Any]]:
    """Train a network and return its weights.

    Parameters
    ----------
    settings : SpectralNetwork
    layout : Layout
    rows : (ndarray, float32, shape (n, channels, bins); ndarray, shape (n,) of 0 and 1)
        Spectra before they are standardised, and what came true.
    unit : two ndarray, float32, shape (channels, bins)
        Centre and scale that standardise each bin; an infinite scale where there is none.
    seed : int
    """
    how = replace(settings.training, seed=seed)
    with deterministic(how.seed, how.threads):
        module = built(settings.architecture, layout)
        return train(module, _Disturbed(rows, unit, layout, settings.disturbance), _log_loss, how).weights


def answers(module: torch.nn.Module, spectra: Singles) -> Floats:
    """Return the logit of each spectrum (n, channels, bins), shape (n,), on one thread.

    Parameters
    ----------
    module : torch.nn.Module
        In evaluation mode.
    """
    with deterministic(seed=0), torch.inference_mode():
        parts = [module(torch.from_numpy(spectra[at : at + AT_ONCE])).numpy() for at in range(0, len(spectra), AT_ONCE)]
    return np.concatenate(parts).astype(np.float64) if parts else np.zeros(0)


class _Disturbed:
    """Spectra to train on, each disturbed anew whenever it is taken."""

    def __init__(self, rows: tuple[Singles, Floats], unit: tuple[Singles, Singles], layout: Layout, how: Disturbance) -> None:
        self.spectra, self.layout, self.how = rows[0], layout, how
        self.truth = rows[1].astype(np.float32)
        self.centre, self.scale = unit
        self.present = np.isfinite(self.scale)

    def __len__(self) -> int:
        return len(self.spectra)

    def take(self, indices: npt.NDArray[np.int64], rng: np.random.Generator) -> Mapping[str, torch.Tensor]:
        """Return the spectra at `indices`, disturbed as `rng` says and standardised, and what came true of them."""
        shown = (disturbed(self.spectra[indices], self.layout, self.how, rng) - self.centre) / self.scale
        shown += rng.normal(0.0, self.how.noise, shown.shape).astype(np.float32) * self.present
        return {"spectra": torch.from_numpy(shown), "truth": torch.from_numpy(self.truth[indices])}


def _log_loss(module: torch.nn.Module, batch: Mapping[str, torch.Tensor]) -> torch.Tensor:
    return functional.binary_cross_entropy_with_logits(module(batch["spectra"]), batch["truth"])


class _Residual(torch.nn.Module):
    """Two layers of filters, added to what they were given."""

    def __init__(self, width_in: int, width: int, kernel: int) -> None:
        super().__init__()
        self.first = torch.nn.Conv1d(width_in, width, kernel, padding=kernel // 2, bias=False)
        self.first_norm = torch.nn.BatchNorm1d(width)
        self.second = torch.nn.Conv1d(width, width, kernel, padding=kernel // 2, bias=False)
        self.second_norm = torch.nn.BatchNorm1d(width)
        self.beside = torch.nn.Identity() if width_in == width else torch.nn.Conv1d(width_in, width, 1, bias=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return (n, width, bins)."""
        found = functional.relu(self.first_norm(self.first(x)))
        return functional.relu(self.second_norm(self.second(found)) + self.beside(x))


class _Resnet(torch.nn.Module):
    """Filters over a spectrum and where they found something."""

    def __init__(self, how: Resnet1d, channels: int) -> None:
        super().__init__()
        self.stem = torch.nn.Conv1d(channels, how.widths[0], how.kernel, stride=2, padding=how.kernel // 2)
        widths = (how.widths[0], *how.widths)
        self.blocks = torch.nn.ModuleList(_Residual(a, b, how.kernel) for a, b in itertools.pairwise(widths))
        self.dropout = torch.nn.Dropout(how.dropout)
        self.head = torch.nn.Linear(how.widths[-1] * how.segments, 1)
        self.segments = how.segments

    def forward(self, spectra: torch.Tensor) -> torch.Tensor:
        """Return the logit of each spectrum, shape (n,)."""
        found = functional.relu(self.stem(spectra))
        for number, block in enumerate(self.blocks):
            if number:
                found = functional.avg_pool1d(found, 2, ceil_mode=True)
            found = block(found)
        return torch.as_tensor(self.head(self.dropout(_averaged(found, self.segments).flatten(1)))[:, 0])


def _averaged(found: torch.Tensor, segments: int) -> torch.Tensor:
    """Return the mean over each of some parts of the last axis, overlapping by a bin where they do not divide it."""
    bins = found.shape[-1]
    edges = [(at * bins // segments, -(-(at + 1) * bins // segments)) for at in range(segments)]
    return torch.stack([found[..., low:high].mean(-1) for low, high in edges], -1)


class _Attention(torch.nn.Module):
    """A layer: tokens look at each other, then each is thought over."""

    def __init__(self, how: Transformer) -> None:
        super().__init__()
        self.heads, width = how.heads, how.width
        self.look_norm, self.think_norm = torch.nn.LayerNorm(width), torch.nn.LayerNorm(width)
        self.look, self.seen = torch.nn.Linear(width, 3 * width), torch.nn.Linear(width, width)
        self.think = torch.nn.Sequential(torch.nn.Linear(width, 2 * width), torch.nn.GELU(), torch.nn.Linear(2 * width, width))
        self.dropout = torch.nn.Dropout(how.dropout)

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        """Return (n, tokens, width)."""
        n, count, width = tokens.shape
        asked, known, told = self.look(self.look_norm(tokens)).view(n, count, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        share = torch.softmax(asked @ known.transpose(-1, -2) / (width // self.heads) ** 0.5, -1)  # eq. 1
        tokens = tokens + self.dropout(self.seen((share @ told).transpose(1, 2).reshape(n, count, width)))
        return torch.as_tensor(tokens + self.dropout(self.think(self.think_norm(tokens))))


class _Transformer(torch.nn.Module):
    """Patches of wavelength as tokens."""

    def __init__(self, how: Transformer, channels: int, bins: int) -> None:
        super().__init__()
        self.patch, count = how.patch, -(-bins // how.patch)
        self.spare = count * how.patch - bins
        self.embed = torch.nn.Linear(channels * how.patch, how.width)
        self.position = torch.nn.Parameter(0.02 * torch.randn(count, how.width))
        self.layers = torch.nn.ModuleList(_Attention(how) for _ in range(how.layers))
        self.norm, self.dropout = torch.nn.LayerNorm(how.width), torch.nn.Dropout(how.dropout)
        self.head = torch.nn.Linear(how.width * count, 1)  # every patch keeps its place: where a peak lies matters

    def forward(self, spectra: torch.Tensor) -> torch.Tensor:
        """Return the logit of each spectrum, shape (n,)."""
        n, channels = spectra.shape[:2]
        patches = functional.pad(spectra, (0, self.spare)).view(n, channels, -1, self.patch)
        tokens = self.embed(patches.transpose(1, 2).flatten(2)) + self.position
        for layer in self.layers:
            tokens = layer(tokens)
        return torch.as_tensor(self.head(self.dropout(self.norm(tokens).flatten(1)))[:, 0])
