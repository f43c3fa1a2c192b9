from typing import Any

import click
import pytest

from pnas_tools._parameter_types import AMOUNT, DURATION


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("1200", 1200),
        ("600k", 600_000),
        ("4.1M", 4_100_000),
        (".5k", 500),
        ("2e6", 2_000_000),
        ("2E+1k", 20_000),
        ("2.2G", 2_200_000_000),
    ],
)
def test_amounts_are_exact(text: str, amount: int) -> None:
    assert AMOUNT.convert(text, None, None) == amount


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("5ms", 0.005), ("0.005s", 0.005), ("300us", 0.0003), ("1.3ms", 0.0013), ("2s", 2), ("1.5min", 90), ("2h", 7200)],
)
def test_durations_are_seconds(text: str, seconds: float) -> None:
    assert DURATION.convert(text, None, None) == seconds


@pytest.mark.parametrize(
    "text", ["", "k", "0", "0k", "-1", "+1", "600K", "600 k", "1m", "1,5M", "nan", "inf", "1e999", "1kk"]
)
def test_what_is_no_amount_is_refused(text: str) -> None:
    with pytest.raises(click.BadParameter, match=r"above 0 such as 1200, 600k, 1.5M, 2e6 or 1G, not"):
        AMOUNT.convert(text, None, None)


@pytest.mark.parametrize("value", ["5", 5, 0.005, "0ms", "-5ms", "5m", "5 ms", "5sec", "1e-999s", "1e-400s", "ms"])
def test_what_is_no_duration_is_refused_and_a_bare_number_is_told_of_the_units(value: Any) -> None:
    with pytest.raises(click.BadParameter, match=r"above 0 such as 90s, 10min, 5ms or 300us, not"):
        DURATION.convert(value, None, None)
