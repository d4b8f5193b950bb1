"""Site weights that grow with a power of the loss: q-FedAvg."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from scipy.special import softmax

from fedaid.minmax.dual_step import LARGEST_STEP, SMALLEST


def fair_weights(losses: Mapping[str, float], pairs: Mapping[str, int], *, power: float) -> dict[str, float]:
    """Weights in proportion to n_i · f_i^q, computed from their logarithms.

    Args:
        losses: site → f in nats, finite and at least 0; at least one site.
        pairs: site → training pairs n, above 0, for each of these sites.
        power: q, at least 0; 0 gives FedAvg's weights by pairs.

    Returns:
        site → weight in the order of site names, on the simplex.

    Source: Li et al., arXiv:1905.10497: the gradient of its objective Σ p_i f_i^(q+1) / (q+1), p_i = n_i / Σ n, weighs
    the sites so. Its algorithm 2 moves by Σ f_i^q Δ_i / Σ (f_i^q + q f_i^(q−1) ‖Δ_i‖² / η) over sites drawn by p_i,
    with η the rate of their gradient descent. We leave out the second part of the divisor, a bound on the curvature
    that holds for gradient descent, as the sites train with AdamW; what is left are weights on the simplex. There f is
    measured on the training data, here on the validation split.
    """
    sites = sorted(losses)
    counts = np.array([pairs[site] for site in sites], np.float64)
    heights = np.log(np.maximum([losses[site] for site in sites], SMALLEST))
    with np.errstate(over="ignore"):
        gain = np.clip(power * (heights - heights.max()), -LARGEST_STEP, 0.0)
    return dict(zip(sites, softmax(np.log(counts) + gain).tolist(), strict=True))
