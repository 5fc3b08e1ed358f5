"""Scripts that are run by themselves: one needs PyTorch and PEFT, one the fuzzing of packings."""

collect_ignore = ["fixtures/make.py", "fuzz.py"]
