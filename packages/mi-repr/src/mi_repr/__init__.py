"""Which mutual-information objectives give representations sufficient for control: exactly, and in deep RL."""
