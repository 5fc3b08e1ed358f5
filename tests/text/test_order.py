"""Names in the order of a model."""

from hypothesis import given
from hypothesis import strategies as st

from htsr_ref.text.order import by_depth, natural_key


@given(st.lists(st.integers(0, 10**30), min_size=1, unique=True))
def test_numbers_sort_by_value(numbers):
    names = [f"h.{number}.attn" for number in numbers]
    assert sorted(names, key=natural_key) == [f"h.{number}.attn" for number in sorted(numbers)]


def test_a_number_of_any_length_is_sorted():
    assert sorted(["h." + "9" * 9000, "h.1"], key=natural_key)[0] == "h.1"


def test_an_order_that_someone_chose_is_kept():
    assert by_depth(["stem", "h.10", "h.2", "head"]) == [0, 1, 2, 3]
