"""Controls for notebooks. Each is a thin view over plain functions of the module beside it."""
