"""Caches of states: in the process (`memory.py`), or in Redis for several processes (`redis.py`).

`snapshot.py` keeps the states of a process on disk, so that it need not build them again at every start.
"""

from huaxiang.store.states.base import Cached, StateCache, Step
from huaxiang.store.states.memory import MemoryStates

__all__ = ["Cached", "MemoryStates", "StateCache", "Step"]
