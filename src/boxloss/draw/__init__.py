"""Figures: what losses, curves, intervals and boxes look like. Needs Matplotlib: `pip install 'boxloss[draw]'`."""
