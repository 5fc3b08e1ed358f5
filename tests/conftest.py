"""One thread for matrices, and Hypothesis profiles.

Without `pytest --hypothesis-profile=ci`, or another, properties are tried on few examples.
"""

import os

# Before NumPy is imported: threads that wait for one another on small matrices only burn time.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from hypothesis import Phase, settings

settings.register_profile("ci", max_examples=50, deadline=None, derandomize=True)
settings.register_profile("fast", settings.get_profile("ci"), max_examples=15)
settings.register_profile("nightly", max_examples=2000, deadline=None)
# Mutants need no smallest example.
settings.register_profile(
    "mutation", settings.get_profile("ci"), phases=[Phase.explicit, Phase.generate]
)
settings.load_profile("fast")
