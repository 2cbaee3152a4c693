"""The conditional distributions of the Gibbs sweep, by their definitions, in plain NumPy."""

import numpy as np


def bias_conditional(residuals_without_bias, taus, precision):
    """Return mean and deviation of a bias given all else."""
    total = np.sum(taus) + precision
    return np.sum(taus * residuals_without_bias) / total, 1 / np.sqrt(total)


def latent_conditional(residuals_without_theme, others, taus, prior_mean, prior_precision):
    """Return the distribution function of a latent number whose positive part is the factor.

    The density, on a fine grid summed by trapezoids, is the prior's times the likelihood of the
    positive part.
    """
    slope, curvature = np.sum(taus * residuals_without_theme * others), np.sum(taus * others**2)
    precision = curvature + prior_precision
    grid = [np.zeros(1)]
    for centre, of_side in (
        (prior_mean, prior_precision),
        ((slope + prior_precision * prior_mean) / precision, precision),
    ):
        width = 1 / np.sqrt(of_side)
        grid.append(np.linspace(centre - 9 * width, centre + 9 * width, 2001))
        # Where a side's centre lies beyond 0, it falls off from 0 this quickly.
        width = 1 / (np.sqrt(of_side) + abs(centre) * of_side)
        grid.append(np.linspace(-30 * width, 30 * width, 2001))
    at = np.unique(np.concatenate(grid))
    factor = np.maximum(at, 0)
    log_density = (
        -0.5 * prior_precision * (at - prior_mean) ** 2 + slope * factor - 0.5 * curvature * factor**2
    )
    density = np.exp(log_density - log_density.max())
    shares = np.append(0, np.cumsum(np.diff(at) * (density[1:] + density[:-1]) / 2))
    return lambda drawn: np.interp(drawn, at, shares / shares[-1])
