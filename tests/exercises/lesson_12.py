"""Answers to the exercises of lesson 12: RIGHT must pass, WRONG must get a sentence with these words."""

import numpy as np
import torch

from florence_nb.widgets.explorer_model import Token

GRID = torch.arange(72 * 72).reshape(6, 12, 6, 12)  # y, row, x, column
CUT = GRID.permute(0, 2, 1, 3).reshape(36, 144, 1)


def token(text=" robot"):
    """A token whose look is known: each place of the robot's box has 1 %, all others together a quarter."""
    look = np.full((12, 12), 0.25 / 116)
    look[5:12, 8:12] = 0.01
    look[7, 9] = 0.19
    row = np.stack([look, look])
    return Token(text, 7, 0.9, (), row, np.zeros(2), np.full(2, 0.3))


def filled(rows, columns, value=None, first=1):
    """A function that fills these places of the grid; the average where no value is given."""

    def blank(tokens):
        grid = tokens[:, first : first + 144].view(1, 12, 12, -1)
        grid[:, rows, columns] = grid.mean(dim=(1, 2), keepdim=True) if value is None else value
        return tokens

    return blank


def anew(tokens):
    """Without writing into what was given; the average is the first token's."""
    places = torch.zeros(12, 12, dtype=torch.bool)
    places[6:11, 5:8] = True
    mask = torch.cat([torch.zeros(1, dtype=torch.bool), places.flatten()])
    return torch.where(mask[None, :, None], tokens.mean(dim=1, keepdim=True), tokens)


def all_but(tokens):
    kept = tokens[:, 1:].view(1, 12, 12, -1)[:, 6:11, 5:8].clone()
    tokens[:, 1:] = tokens[:, 1:].mean(dim=1, keepdim=True)
    tokens[:, 1:].view(1, 12, 12, -1)[:, 6:11, 5:8] = kept
    return tokens


# The robot's box touches rows 5 to 11 and columns 8 to 11.
LOOK = token().attention.mean(axis=0)
DOWN, ACROSS = slice(5, 12), slice(8, 12)
RIGHT = {
    "12.1": {
        "a list": [192, 96, 48, 24, 577],
        "an array": np.array([192, 96, 48, 24, 577]),
        "sides apart": ([192, 96, 48, 24], 577),
    },
    "12.2": {"a tensor": CUT, "an array": CUT.numpy(), "lists": CUT.tolist()},
    "12.3": {
        "touched": (token(), LOOK[DOWN, ACROSS].sum()),
        "whole": [token(), float(LOOK[6:11, 9:11].sum())],
    },
    "12.4": {"in place": filled(slice(6, 11), slice(5, 8)), "anew": anew},
}
WRONG = {
    "12.1": {
        "no average": ([192, 96, 48, 24, 576], "the average, comes to"),
        "a side and one": ([192, 96, 48, 24, 25], "all places of the last grid"),
        "sides only": ([192, 96, 48, 24], "is missing"),
        "each from 768": ([192, 384, 384, 384, 147457], "only once"),
        "whole grids": ([36864, 9216, 2304, 576, 577], "a side is wanted"),
        "mini": ([72, 36, 12, 12, 145], "grids of mini"),
        "288 pixels": ([72, 36, 18, 9, 82], "side of mini's picture"),
        "a slip": ([192, 96, 32, 16, 257], "after stage 3. The first 2"),
        "one number": (577, "five numbers are wanted, such as"),
        "three": ([192, 96, 48], "there are 3"),
    },
    "12.2": {
        "scattered": (GRID.reshape(12, 6, 12, 6).permute(1, 3, 0, 2).reshape(36, 144, 1), "each sixth"),
        "columns first": (GRID.permute(2, 0, 1, 3).reshape(36, 144, 1), "(b y x), not (b x y)"),
        "turned inside": (GRID.permute(0, 2, 3, 1).reshape(36, 144, 1), "in each the places"),
        "not joined": (CUT.reshape(36, 12, 12, 1), "join row and column"),
        "windows not joined": (CUT.reshape(6, 6, 144, 1), "join y and x"),
        "the picture": (CUT[None], "join the picture"),
        "channels": (CUT.reshape(36, 1, 144), "channels come last"),
        "144 windows": (GRID.reshape(12, 6, 12, 6).permute(0, 2, 1, 3).reshape(144, 36, 1), "144 windows"),
        "only reshaped": (GRID.reshape(36, 144, 1), "no windows of neighbours"),
        "the grid": (GRID.reshape(1, 1, 72, 72), "as it was"),
        "zeros": (torch.zeros(36, 144, 1), "some places are missing"),
        "another shape": (CUT[:30], "yours is (30, 144, 1)"),
        "words": ("b c h w", "this is a text"),
    },
    "12.3": {
        "the mean": ((token(), LOOK[DOWN, ACROSS].mean()), "add them up"),
        "all": ((token(), LOOK.sum()), "the whole picture"),
        "the area": ((token(), 28 / 144), "share of the area"),
        "percent": ((token(), 100 * LOOK[DOWN, ACROSS].sum()), "in percent"),
        "turned": ((token(), LOOK[ACROSS, DOWN].sum()), "exchanged"),
        "pixels": ((token(), LOOK[121:265, 269:369].sum()), "no places of the grid"),
        "another word": ((token(" snow"), 0.4), "no thing of the picture"),
        "too much": ((token(), 0.9), "0.9 is too large"),
        "the text": (("robot", 0.4), "first the token"),
        "no token": (0.45, "two things are wanted"),
    },
    "12.4": {
        "turned": (filled(slice(5, 8), slice(6, 11)), "rows and columns"),
        "one early": (filled(slice(6, 11), slice(5, 8), first=0), "one token too early"),
        "zeros": (filled(slice(6, 11), slice(5, 8), 0), "hold zeros"),
        "something else": (filled(slice(6, 11), slice(5, 8), 9), "do not hold the average"),
        "too few": (filled(slice(7, 10), slice(6, 7)), "3 of 15"),
        "too many": (filled(slice(5, 12), slice(4, 9)), "and 20 others"),
        "all others": (all_but, "turn it round"),
        "all": (lambda tokens: tokens * 0, "all tokens have changed"),
        "nothing": (lambda tokens: tokens, "nothing has changed"),
        "no return": (lambda tokens: None, "needs a return"),
        "the grid": (lambda tokens: tokens[:, 1:], "(1, 144, 8)"),
        "its list": (lambda tokens: tokens.tolist(), "a tensor is wanted"),
        "called": (torch.zeros(1, 145, 192), "without brackets"),
        "an error": (lambda tokens: tokens[:, :, :, 6], "stops with"),
    },
}
