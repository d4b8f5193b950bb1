"""The picture of a running job on a terminal: the bar of the rounds, and one line for each hospital."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rich.console import Group
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from admin.session.job_progress import Progress

LEVELS, PLAIN_LEVELS = "▁▂▃▄▅▆▇█", "_.-=+*#@"  # of a spark line, from low to high
EIGHTHS = " ▏▎▍▌▋▊▉█"  # of a bar's last character
BAR, PLAIN_BAR = "█", "#"
CURVE_WIDTH, BAR_WIDTH = 16, 20  # characters
NO_VALUE = "-"


def picture(progress: Progress, losses: Mapping[str, Sequence[float]], *, plain: bool = False) -> Group:
    """Return the bar of the rounds above one line for each site: its losses as a spark line, and its weight as a bar.

    Args:
        progress: the job's state now.
        losses: site → its losses so far, one for each round; all curves have one scale.
        plain: whether the terminal has ASCII characters only.
    """
    bar = ProgressBar(total=max(progress.num_rounds, 1), completed=progress.current_round, width=40)
    table = Table("site", "loss", "", "weight", "", box=None, pad_edge=False)
    largest = max(progress.site_weights.values(), default=0.0)
    scale = [value for curve in losses.values() for value in curve]
    for site in sorted({*progress.sites, *progress.site_losses, *progress.site_weights}):
        loss, weight = progress.site_losses.get(site), progress.site_weights.get(site)
        curve = spark_line(losses.get(site, ()), scale=scale, plain=plain)
        share = weight_bar(weight / largest, plain=plain) if weight and largest > 0 else ""
        table.add_row(site, shown(loss, 4), Text(curve, "cyan"), shown(weight, 3), Text(share, "magenta"))
    return Group(Text(headline(progress)), bar, table)


def spark_line(values: Sequence[float], *, scale: Sequence[float], plain: bool = False) -> str:
    """Return the last values as one character each.

    Args:
        values: the losses of a site.
        scale: values whose smallest and largest are the lowest and the highest character.
        plain: as in :func:`picture`.
    """
    levels = PLAIN_LEVELS if plain else LEVELS
    low, high = min(scale, default=0.0), max(scale, default=0.0)
    steps = [(value - low) / (high - low) if high > low else 0.0 for value in values[-CURVE_WIDTH:]]
    return "".join(levels[round(step * (len(levels) - 1))] for step in steps)


def weight_bar(share: float, *, plain: bool = False) -> str:
    """Return a bar of at most :data:`BAR_WIDTH` characters for a share in [0, 1], to an eighth of a character."""
    if plain:
        return PLAIN_BAR * round(share * BAR_WIDTH)
    whole, eighths = divmod(round(share * BAR_WIDTH * 8), 8)
    return BAR * whole + (EIGHTHS[eighths] if eighths else "")


def headline(progress: Progress) -> str:
    """Return round, phase and times in one line."""
    done = min(progress.current_round + 1, progress.num_rounds)
    times = f"elapsed {clock(progress.elapsed)}  remaining {clock(progress.remaining)}"
    return f"round {done}/{progress.num_rounds}  {progress.phase}  {times}{moved(progress)}"


def moved(progress: Progress) -> str:
    """Return the bytes that the run has moved; empty if they are not counted."""
    if progress.bytes_down is None or progress.bytes_up is None:
        return ""
    return f"  to sites {size(progress.bytes_down)}  from sites {size(progress.bytes_up)}"


def size(count: int) -> str:
    """Return bytes with a decimal unit, as ``12.3 MB``."""
    value, names = float(count), ["B", "kB", "MB", "GB", "TB"]
    while value >= 999.95 and len(names) > 1:
        value, names = value / 1000, names[1:]
    return f"{value:.0f} B" if names[0] == "B" else f"{value:.1f} {names[0]}"


def shown(value: float | None, digits: int) -> str:
    """Return a number with ``digits`` decimals, or a dash for None."""
    return NO_VALUE if value is None else f"{value:.{digits}f}"


def clock(seconds: float | None) -> str:
    """Return seconds as ``h:mm:ss``, or a dash for None."""
    if seconds is None:
        return NO_VALUE
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}"
