"""What `fit` and `load` return: `Model`, the facade before every stage.

`whole.py` has the model, and how it learns from the next event. `profiles.py` and `lists.py` make profiles
and lists from it, `items.py` another model when items change, `reading.py` vectors of words and photos, and
`saving.py` and `loading.py` are its way into a run and back.
"""

from huaxiang.model.known import Known
from huaxiang.model.loading import load
from huaxiang.model.saving import save
from huaxiang.model.whole import Model

__all__ = ["Known", "Model", "load", "save"]
