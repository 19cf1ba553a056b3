"""The interval of a share.

Wilson, E. B. (1927), Probable inference, the law of succession, and statistical inference, JASA 22:209-212.
"""

import math
from statistics import NormalDist

_NORMAL = NormalDist()


def wilson(hits: int, trials: int, confidence: float = 0.95) -> tuple[float, float]:
    """Wilson's score interval of a share.

    Args:
        hits: How often it happened.
        trials: Of how many times; 0 tells nothing: from 0 to 1.
        confidence: How sure.
    """
    if not trials:
        return 0.0, 1.0
    z = _NORMAL.inv_cdf((1 + confidence) / 2)
    share, square = hits / trials, z * z / trials
    middle = share + square / 2
    half = z * math.sqrt(share * (1 - share) / trials + square / (4 * trials))
    low, high = (middle - half) / (1 + square), (middle + half) / (1 + square)
    return (0.0 if hits == 0 else max(0.0, low)), (1.0 if hits == trials else min(1.0, high))
