"""The lessons as Colab runs them: its versions, only the built wheel, an empty folder."""
