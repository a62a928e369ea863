"""How the mini checkpoint is made: pictures ahead of time (`pool`), the model (`model`), its lessons (`samples`), and the loop (`__main__`)."""
