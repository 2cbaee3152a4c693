"""Descents with no early stop, for tests of what is minimised."""

from recsys.factorization.descent import descend


def descended(problem, max_iter):
    """Return the factors after so many iterations, and the objective after each."""
    history = descend(problem, max_iter=max_iter, tol=0, name="test")
    return problem.factors(), history.objective
