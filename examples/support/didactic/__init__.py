"""MDPs analysed and drawn for `didactic_mdps.py`."""
