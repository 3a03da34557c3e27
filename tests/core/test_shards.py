"""Shards of markets: what decides which process answers for one."""

import hashlib
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quorate.core.errors import ArgumentError, SettingsError
from quorate.core.sections.serve import ServeSettings
from quorate.core.types.shards import ALL, Shard

NAMES = tuple(f"C{number}/USDT:USDT" for number in range(3_000))


def test_a_proxy_can_compute_it_from_what_is_documented():
    for symbol in NAMES[:200]:
        digest = hashlib.blake2b(symbol.encode(), digest_size=8).digest()
        assert Shard(1, 7).of(symbol).number == 1 + int.from_bytes(digest, "big") % 7
    # Worked by another program: printf %s BTC/USDT:USDT | b2sum -l 64
    done = subprocess.run(
        ["b2sum", "-l", "64"], input=b"BTC/USDT:USDT", capture_output=True, check=True
    ).stdout.split()[0]
    assert Shard(1, 1_000).of("BTC/USDT:USDT").number == 1 + int(done, 16) % 1_000


def test_it_is_the_same_in_every_process():
    code = "from quorate.core.types.shards import Shard; print(Shard(1, 5).of('ETH/USDT:USDT'))"
    found = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": ":".join(sys.path)},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert found == {f"{Shard(1, 5).of('ETH/USDT:USDT')}\n"}


@given(st.lists(st.text(), unique=True), st.integers(1, 9), st.integers(1, 9))
def test_every_market_is_of_exactly_one_shard_and_of_one_part_of_it(symbols, count, parts):
    shards = [Shard(number, count) for number in range(1, count + 1)]
    assert sorted(name for shard in shards for name in shard.select(symbols)) == sorted(symbols)
    for shard in shards:
        own = [name for part in shard.split(parts) for name in part.select(symbols)]
        assert sorted(own) == sorted(shard.select(symbols))
        assert [Shard.parse(str(part)) for part in shard.split(parts)] == list(shard.split(parts))


@pytest.mark.parametrize("count", [2, 3, 16])
def test_shards_are_of_about_the_same_size(count):
    sizes = [len(Shard(number, count).select(NAMES)) for number in range(1, count + 1)]
    share = len(NAMES) / count
    assert max(abs(size - share) for size in sizes) < 5 * share**0.5


@pytest.mark.parametrize(
    "text", ["", "1", "0/3", "4/3", "1/0", "-1/3", "1/3/5", " 1/3", "1/3\n", "one/3", "٣/٣", None, 3]
)
def test_what_is_no_shard_is_refused(text):
    with pytest.raises(ArgumentError, match="could not choose a shard"):
        Shard.parse(text)


def test_the_setting_is_checked():
    assert Shard.parse(ServeSettings().shard) == ALL
    assert ServeSettings(shard="2/3").shard == "2/3"
    with pytest.raises(SettingsError, match=r"serve\.shard: found '4/3'|serve\.shard: found 4/3"):
        ServeSettings(shard="4/3")


def test_a_shard_without_a_market_is_refused():
    symbol = NAMES[0]
    other = next(Shard(number, 2) for number in (1, 2) if not Shard(number, 2).holds(symbol))
    with pytest.raises(ArgumentError, match=f"found none of shard {other} among 1; expected at least one"):
        other.require([symbol])
