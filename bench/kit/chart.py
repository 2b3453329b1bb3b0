"""chart: horizontal bars as SVG, drawn by matplotlib (python3-matplotlib). Equal figures give equal files.

A chart is a dictionary: file, title, unit, groups: {name of the group: {name of the bar: value}}; `log` for values that differ
by orders of magnitude. Ours is the bar whose name begins with one of OURS.
"""
import os

OURS = ("libgev", "linked with libgev", "preloaded")


def available():
    try:
        import matplotlib  # noqa: F401  only whether it is there
    except ImportError:
        return False
    return True


def draw(chart, folder):
    """Writes folder/FILE.svg and returns its path."""
    import matplotlib
    matplotlib.use("svg")
    matplotlib.rcParams.update({"svg.hashsalt": "libgev", "svg.fonttype": "none", "font.family": "sans-serif",
                                "font.size": 9})
    from matplotlib import pyplot

    bars = [(group, name, value) for group, members in chart["groups"].items() for name, value in members.items()
            if value is not None]
    figure, axes = pyplot.subplots(figsize=(7.6, 0.55 + 0.23 * len(bars) + 0.28 * len(chart["groups"])))
    at, ticks, labels = 0.0, [], []
    group_before = None
    for group, name, value in bars:
        if group != group_before:
            at += 1.2 if group_before is not None else 0.6
            if group:
                axes.text(0, at - 0.75, group, transform=axes.get_yaxis_transform(), fontweight="bold", va="center")
            group_before = group
        axes.barh(at, value, height=0.75, color="#1f6f8b" if name.startswith(OURS) else "#b8c4cc")
        axes.annotate(f" {value:,.0f}".replace(",", " ") if value >= 100 else f" {value:.3g}", (value, at), va="center")
        ticks.append(at)
        labels.append(name)
        at += 1
    axes.set_yticks(ticks, labels)
    axes.invert_yaxis()
    if chart.get("log"):
        axes.set_xscale("log")
        axes.set_xlim(left=min(value for _, _, value in bars) / 3)
    axes.set_xlabel(chart["unit"])
    axes.set_title(chart["title"], loc="left", fontsize=10, pad=12)
    axes.margins(x=0.14)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.tick_params(axis="y", length=0)
    figure.tight_layout()
    path = os.path.join(folder, chart["file"] + ".svg")
    figure.savefig(path, metadata={"Date": None, "Creator": None})
    pyplot.close(figure)
    return path
