"""How good is it, and where does it fail: held-out splits, measurements, benchmarks, one report.

`holdout.py` takes the newest part of a shop away, `measure.py` scores what was predicted for it,
`breakdown.py` says where it fails, `calibration.py` holds claims against what happened,
`amazon.py` follows the literature's protocols, `finished.py` keeps what it finished,
`charts.py` and `report.py` draw it all on one page.
"""
