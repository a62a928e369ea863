"""What carries the course elsewhere."""
