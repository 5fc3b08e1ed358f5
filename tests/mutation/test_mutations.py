"""The mutations still fit the code: `mutations.py` shows that tests catch them."""

import ast

import pytest
from mutation.mutations import MUTATIONS, Mutation, mutated


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation.name)
def test_the_text_to_change_occurs_once_and_the_change_is_python(mutation):
    ast.parse(mutated(mutation))


def test_a_text_that_is_gone_is_an_error(tmp_path):
    (tmp_path / "a.py").write_text("x = 1\n")
    with pytest.raises(ValueError, match="gone: 'y' occurs 0 times"):
        mutated(Mutation("gone", "a.py", "y", "z"), tmp_path)
