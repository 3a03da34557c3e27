import pytest
import torch

from quorate.models.networks.training.schedule import SCHEDULES, constant, cosine, one_cycle


def rates(scheduler, optimizer, steps):
    found = []
    for _ in range(steps):
        found.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    return found


@pytest.mark.parametrize("steps", [10, 11, 100, 1000])
def test_one_cycle_and_cosine_equal_torchs_schedulers(steps):
    def optimizer():
        return torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=2.0)

    first = optimizer()
    cycle = torch.optim.lr_scheduler.OneCycleLR(first, max_lr=2.0, total_steps=steps + 1)
    expected = rates(cycle, first, steps)
    assert [2 * one_cycle(step, 7, steps + 1) for step in range(steps)] == pytest.approx(expected, rel=1e-9)
    second = optimizer()
    annealing = torch.optim.lr_scheduler.CosineAnnealingLR(second, T_max=steps)
    assert [2 * cosine(step, 7, steps) for step in range(steps)] == pytest.approx(
        rates(annealing, second, steps), rel=1e-6
    )


@pytest.mark.parametrize("name", SCHEDULES)
@pytest.mark.parametrize("steps", [1, 2, 3, 4, 50])
def test_factors_are_in_the_range_0_to_1_also_for_short_runs(name, steps):
    factors = [SCHEDULES[name](step, 5, steps) for step in range(steps)]
    assert all(0 < factor <= 1 for factor in factors)


def test_the_constant_schedule_is_1():
    assert {constant(step, 3, 9) for step in range(9)} == {1.0}
