"""What a profile and a list are made from."""

from __future__ import annotations

from dataclasses import dataclass

from huaxiang.profile.contents import Contents
from huaxiang.profile.state import ProfileState


@dataclass(frozen=True, kw_only=True)
class Known:
    """What a list is made from: a state, and where its texts and photos are looked up."""

    state: ProfileState
    contents: Contents
