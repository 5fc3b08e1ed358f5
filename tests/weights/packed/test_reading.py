"""What is checked of the scales and codes of any packing."""

import numpy as np
import pytest

from htsr_ref.errors import LayerError
from htsr_ref.weights.backing import InMemory
from htsr_ref.weights.container import RawTensor
from htsr_ref.weights.packed.packed_module import DamagedPackingError
from htsr_ref.weights.packed.reading import bad_layer, check_when_opened, finite

pytestmark = pytest.mark.spec("PAK-13")


def tensor(*shape):
    """A tensor of which nothing but the shape is needed."""
    return RawTensor("w", shape, "float64", InMemory(np.zeros(0)))


def test_numbers_up_to_two_to_the_thousand_can_be_computed_with():
    good = np.array([2.0**1000, -(2.0**1000), 0.0])
    assert finite(tensor(3), good) is good
    for bad in (np.nextafter(2.0**1000, np.inf), -np.inf, np.nan):
        with pytest.raises(LayerError, match="it holds NaN, infinite or enormous numbers"):
            finite(tensor(3), np.array([0.0, bad, 1.0]))


def test_small_tensors_are_read_when_they_are_opened_and_large_ones_later():
    def read():
        raise bad_layer(tensor(1), "it is damaged")

    with pytest.raises(DamagedPackingError, match="it is damaged"):
        check_when_opened(tensor(2**10, 2**10), read)
    check_when_opened(tensor(2**10, 2**10 + 1), read)
