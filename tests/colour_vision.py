"""How far apart colours look, also to people who see fewer of them.

Colours are sRGB, float (n, 3) from 0 to 1. The matrices are those of Machado, Oliveira and Fernandes (2009,
doi 10.1109/TVCG.2009.113) at severity 1.0; the distance is CIEDE2000 (CIE 142-2001): 1 is just seen side by
side, 10 is seen at a glance.
"""

import numpy as np

SEEN_BY = {
    "everybody": np.eye(3),
    "protanopia": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "deuteranopia": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ],
    "tritanopia": [
        [1.255528, -0.076749, -0.178779],
        [-0.078411, 0.930809, 0.147602],
        [0.004733, 0.691367, 0.303900],
    ],
}
_XYZ = np.array(
    [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]]
)


def linear(rgb):
    rgb = np.asarray(rgb, float)
    return np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)


def lab(rgb, seen_by="everybody"):
    """CIE L*a*b*, (n, 3), white point D65."""
    light = np.clip(linear(rgb) @ np.array(SEEN_BY[seen_by]).T, 0, 1)
    share = light @ (_XYZ / _XYZ.sum(axis=1, keepdims=True)).T
    f = np.where(share > (6 / 29) ** 3, np.cbrt(share), share / (3 * (6 / 29) ** 2) + 4 / 29)
    return np.stack([116 * f[:, 1] - 16, 500 * (f[:, 0] - f[:, 1]), 200 * (f[:, 1] - f[:, 2])], axis=1)


def ciede2000(one, other):
    """The distance of each pair of L*a*b* rows; both (n, 3)."""
    (l1, a1, b1), (l2, a2, b2) = np.transpose(one), np.transpose(other)
    grey = 0.5 * (1 - _share7((np.hypot(a1, b1) + np.hypot(a2, b2)) / 2))
    a1, a2 = a1 * (1 + grey), a2 * (1 + grey)
    c1, c2 = np.hypot(a1, b1), np.hypot(a2, b2)
    h1, h2 = np.degrees(np.arctan2(b1, a1)) % 360, np.degrees(np.arctan2(b2, a2)) % 360
    turn = np.where(c1 * c2 == 0, 0, (h2 - h1 + 180) % 360 - 180)
    l, c = (l1 + l2) / 2, (c1 + c2) / 2
    h = np.radians(np.where(c1 * c2 == 0, h1 + h2, h1 + turn / 2))
    t = 1 - 0.17 * np.cos(h - np.pi / 6) + 0.24 * np.cos(2 * h)
    t += 0.32 * np.cos(3 * h + np.pi / 30) - 0.20 * np.cos(4 * h - np.radians(63))
    dl = (l2 - l1) / (1 + 0.015 * (l - 50) ** 2 / np.sqrt(20 + (l - 50) ** 2))
    dc = (c2 - c1) / (1 + 0.045 * c)
    dh = 2 * np.sqrt(c1 * c2) * np.sin(np.radians(turn) / 2) / (1 + 0.015 * c * t)
    bow = np.radians(60) * np.exp(-((((np.degrees(h) % 360) - 275) / 25) ** 2))
    return np.sqrt(dl**2 + dc**2 + dh**2 - np.sin(bow) * 2 * _share7(c) * dc * dh)


def _share7(chroma):
    return np.sqrt(chroma**7 / (chroma**7 + 25.0**7))


def nearest(rgb, seen_by="everybody"):
    """The smallest distance of any two of the colours, and their indices."""
    seen, (i, j) = lab(rgb, seen_by), np.triu_indices(len(rgb), 1)
    apart = ciede2000(seen[i], seen[j])
    at = apart.argmin()
    return float(apart[at]), int(i[at]), int(j[at])


def contrast(one, other):
    """The contrast of WCAG 2, 1 to 21."""
    low, high = sorted(0.05 + linear(colour) @ _XYZ[1] for colour in (one, other))
    return float(high / low)
