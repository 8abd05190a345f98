"""What a build and its simulations gave, for people to read."""
