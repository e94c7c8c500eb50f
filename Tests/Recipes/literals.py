"""Numbers as Swift reads them."""
import numpy as np


def coarse(a):
    return np.round(a * 256) / 256


def literal(a, indent, form="{:.10g}"):
    items, lines, line = [form.format(v) for v in np.asarray(a).ravel()], [], ""
    for item in items:
        if len(line) + len(item) > 100:
            lines, line = lines + [line.rstrip()], ""
        line += item + ", "
    pad = " " * (indent + 2)
    return "[\n" + "\n".join(pad + l for l in lines + [line.rstrip()]) + "\n" + " " * indent + "]"
