"""The conditional distributions of the Gibbs sweep, by their definitions, in plain NumPy."""

import numpy as np
from scipy import stats


def bias_conditional(residuals_without_bias, tau, precision):
    """Return mean and deviation of a bias given all else."""
    total = tau * len(residuals_without_bias) + precision
    return tau * np.sum(residuals_without_bias) / total, 1 / np.sqrt(total)


def factor_conditional(residuals_without_theme, others, tau, precision):
    """Return the distribution of one factor given all else: a normal cut at 0."""
    total = tau * np.sum(others**2) + precision
    centre, deviation = tau * np.sum(residuals_without_theme * others) / total, 1 / np.sqrt(total)
    return stats.truncnorm(-centre / deviation, np.inf, loc=centre, scale=deviation)
