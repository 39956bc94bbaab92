"""What carries orders to sites and updates back: in one process, by NVIDIA FLARE, by Flower.

The transport is always an engine's; a driver only hands over states and takes updates.
"""
