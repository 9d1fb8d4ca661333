"""What files would deploy: templates read into declarations, with what cannot be decided before deployment kept as unknown."""
