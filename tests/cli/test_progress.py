"""SCL-27: the time that is left."""

import pytest

from htsr_ref.cli.progress import Amount


class Clock:
    def __init__(self):
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.mark.spec("SCL-27")
def test_the_time_left_is_that_of_the_rest_at_the_speed_so_far():
    clock = Clock()
    amount = Amount(clock=clock)
    amount.set("a", 0.0, 100.0)
    assert amount.left is None
    clock.now += 20
    amount.set("b", 40.0, 100.0)
    assert amount.left == pytest.approx(30)
    assert str(amount) == "20 s, about 30 s left"


@pytest.mark.spec("SCL-27")
def test_it_goes_down_while_one_layer_takes_minutes_and_never_below_none():
    clock = Clock()
    amount = Amount(clock=clock)
    clock.now += 60
    amount.set("large", 10.0, 50.0)
    clock.now += 200
    amount.set("another that has begun beside it", 10.0, 50.0)
    assert (amount.elapsed, amount.left) == (260, pytest.approx(40))
    clock.now += 100
    assert amount.left == 0


@pytest.mark.spec("SCL-27")
def test_before_anything_is_finished_a_speed_is_expected():
    clock = Clock()
    amount = Amount(10.0, clock)
    amount.set("a", 0.0, 100.0)
    clock.now += 4
    assert amount.left == pytest.approx(6)
    amount.set("b", 80.0, 100.0)
    assert amount.left == pytest.approx(1)
