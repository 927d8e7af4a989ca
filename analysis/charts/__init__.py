"""Pictures: pure functions from numbers to Altair charts. A chart computes no statistic."""
