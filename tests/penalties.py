"""Penalties to try objectives with."""

from hypothesis import strategies as st

from recsys.factorization.penalty import Penalty

penalties = st.builds(
    Penalty,
    st.sampled_from([0.0, 0.5]),
    st.sampled_from([0.0, 0.5, 1.0]),
    st.sampled_from([0.0, 0.25]),
    st.sampled_from([0.0, 0.25, 0.5]),
)
