"""Vegetation by red and near-infrared light, without any training."""
