"""The bench: single members that expired, drifted or fail do not count until they pass the same test again."""

from typing import TYPE_CHECKING

from quorate.core.deferred import deferred

if TYPE_CHECKING:
    from quorate.lifecycle.bench.by_hand import put_on_bench as put_on_bench
    from quorate.lifecycle.bench.by_hand import take_off_bench as take_off_bench
    from quorate.lifecycle.bench.check import bench_history as bench_history
    from quorate.lifecycle.bench.check import check_bench as check_bench
    from quorate.lifecycle.bench.member_check import BenchCheck as BenchCheck
    from quorate.lifecycle.bench.member_check import MemberCheck as MemberCheck
    from quorate.lifecycle.bench.stored_bench import read_bench as read_bench
    from quorate.lifecycle.bench.stored_bench import write_bench as write_bench
    from quorate.lifecycle.bench.watch import watch_bench as watch_bench
else:
    __getattr__, __all__ = deferred(
        __name__,
        {
            "by_hand": "put_on_bench take_off_bench",
            "check": "bench_history check_bench",
            "member_check": "BenchCheck MemberCheck",
            "stored_bench": "read_bench write_bench",
            "watch": "watch_bench",
        },
    )
