"""Which mutual-information objectives give representations sufficient for control.

`mi_repr.tabular` says so exactly, for finite MDPs; it needs neither networks nor games. `mi_repr.deep` trains encoders
of images on the same objectives.
"""
