"""What Optuna's trials say: which count, which were interrupted, which is best."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    import optuna
    from optuna.trial import FrozenTrial

#: Attribute of a trial: the number of the interrupted one that it repeats.
RETRY_OF = "retry_of"
#: Attribute of a trial: skill so far, a share; test spans; seconds of each; net returns a day.
RESULT = "result"
#: Attribute of a trial: why a member could not be fitted.
FAILURE = "failure"
#: Attribute of a study: seconds used of the budget.
SPENT = "spent_s"

TrialEnd = Literal["complete", "pruned", "failed"]
_ENDS: Mapping[str, TrialEnd] = {"COMPLETE": "complete", "PRUNED": "pruned", "FAIL": "failed"}


@dataclass(frozen=True, slots=True)
class EndedTrial:
    """A trial that came to an end of its own.

    Attributes:
        number: as in the study, from 0; the settings as they are have the lowest.
        end: all test spans were scored, it was ended early, or a member could not be fitted.
        skill: share of the loss of the class shares that it saves, over the scored test spans; None if failed.
        spans: test spans that were scored.
        seconds: of each of them.
        choices: what it tried.
        failure: why it failed.
    """

    number: int
    end: TrialEnd
    skill: float | None
    spans: int
    seconds: tuple[float, ...]
    choices: dict[str, Any]
    failure: str = ""

    def to_json(self) -> dict[str, Any]:
        """JSON object."""
        return {
            "trial": self.number,
            "end": self.end,
            "skill": self.skill,
            "spans": self.spans,
            "seconds": round(sum(self.seconds), 3),
            "choices": self.choices,
            "failure": self.failure or None,
        }


def ended(study: optuna.Study) -> list[EndedTrial]:
    """Trials that ended of their own, in order of their numbers; interrupted ones are not among them."""
    found, again = [], repeated(study)
    for trial in study.get_trials(deepcopy=False):
        failure = trial.user_attrs.get(FAILURE, "")
        end = _ENDS.get(trial.state.name)
        if end is None or trial.number in again or (end == "failed" and not failure):
            continue
        result = trial.user_attrs.get(RESULT) or {"skill": None, "spans": 0, "seconds": []}
        skill, spans, seconds = result["skill"], result["spans"], tuple(result["seconds"])
        found.append(EndedTrial(trial.number, end, skill, spans, seconds, dict(trial.params), failure))
    return found


def repeated(study: optuna.Study) -> set[int]:
    """Numbers of the trials that another one repeats."""
    attributes = (trial.user_attrs for trial in study.get_trials(deepcopy=False))
    return {each[RETRY_OF] for each in attributes if RETRY_OF in each}


def interrupted(study: optuna.Study) -> list[FrozenTrial]:
    """Trials that are marked as running; where no process writes, they were interrupted."""
    return [trial for trial in study.get_trials(deepcopy=False) if trial.state.name == "RUNNING"]


def repeat_interrupted(study: optuna.Study) -> int:
    """Put interrupted trials into the queue again and mark the old ones as failed; how many there were.

    The new one comes first: killed in between, this is done again and finds it.
    """
    from optuna.trial import TrialState

    running = interrupted(study)
    for trial in running:
        repeat(study, trial)
        study.tell(trial.number, state=TrialState.FAIL)
    return len(running)


def repeat(study: optuna.Study, trial: FrozenTrial) -> None:
    """Put the choices of a trial into the queue, unless they are there already."""
    if trial.number not in repeated(study):
        choices = {**trial.system_attrs.get("fixed_params", {}), **trial.params}
        study.enqueue_trial(choices, user_attrs={RETRY_OF: trial.number})


def best_of(trials: list[EndedTrial]) -> EndedTrial | None:
    """The complete trial with the greatest skill; of equals the first; None without one."""
    complete = [trial for trial in trials if trial.end == "complete" and trial.skill is not None]
    return max(complete, key=lambda trial: (trial.skill, -trial.number), default=None)


def as_they_are(trials: list[EndedTrial], choices: dict[str, Any]) -> EndedTrial | None:
    """The complete trial of the settings as they are; None without one."""
    return next((trial for trial in trials if trial.end == "complete" and trial.choices == choices), None)
