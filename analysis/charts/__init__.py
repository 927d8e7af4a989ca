"""Pictures: pure functions from numbers to Altair charts. A chart computes no statistic."""

# Altair looks for pandas among the loaded modules and takes it as it finds it. Streamlit loads it
# late, in the thread of the first visitor: a second visitor then met a half-loaded pandas. Loaded
# here, before Altair, it is whole.
import pandas  # noqa: F401
