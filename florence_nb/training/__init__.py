"""How the mini checkpoint is made.

Pictures are drawn ahead of time (`pool`); the model (`model`, `vocabulary`) learns to see (`tower`), and then
to answer (`language`) what is asked of it (`samples`).
"""
