"""How large models learn: a lesson, its batches, and Hugging Face's Trainer with exact resuming.

`base.py` is the contract between what is taught and the trainer, `trainer.py` the fit itself. The
recommenders have a tight loop of their own, `huaxiang.training`.
"""
