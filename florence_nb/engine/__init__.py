"""What makes the answers quick and the long jobs safe. No lesson imports it."""
