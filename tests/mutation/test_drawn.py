"""The mutants that `drawn.py` makes of a text."""

import ast

from mutation.drawn import mutants

SOURCE = '''
def f(a: int | None = None) -> float:
    """Half of it, 3 < 4."""
    if a is None:
        raise ValueError("1" + "2")
    return a / 2
'''


def test_operators_comparisons_numbers_and_results_are_changed_and_nothing_else():
    made = mutants(SOURCE)
    assert {(mutant.before, mutant.after) for mutant in made} == {
        ("a is None", "a is not None"),
        ("return a / 2", "return None"),
        ("a / 2", "a * 2"),
        ("2", "3"),
    }
    original = ast.unparse(ast.parse(SOURCE))
    assert all(mutant.source != original for mutant in made)
