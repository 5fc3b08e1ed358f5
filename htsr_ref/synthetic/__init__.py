"""Weight files whose answers are known, and reports checked against them."""
