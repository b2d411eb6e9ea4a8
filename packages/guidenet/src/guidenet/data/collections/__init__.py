"""How the data of `guidenet.data.catalogue` are opened, and what of them is for training, validation and test."""
