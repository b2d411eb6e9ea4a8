"""How well masks agree, in images and in video, and how many clicks a mask takes."""
