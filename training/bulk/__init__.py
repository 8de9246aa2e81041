"""Scores for any number of pictures, on any number of machines, with Ray Data."""
