"""The script that made the fixtures needs PyTorch and PEFT, which the tests do not."""

collect_ignore = ["fixtures/make.py"]
