"""How the course writes a result over several seeds."""

import statistics
from collections.abc import Sequence


def mean_and_spread(values: Sequence[float], form: str = ".3f") -> str:
    """Mean ± standard deviation (of a sample, n - 1), such as "0.355 ± 0.005"; the value alone if it is the only one.

    Args:
        values: one for each seed, at least one; whoever shows the text says beside it how many there are.
        form: format of a number, as in "+.3f"; the deviation has no sign.
    """
    text = format(statistics.mean(values), form)
    return text if len(values) == 1 else f"{text} ± {format(statistics.stdev(values), form.lstrip('+'))}"
