"""compose.yaml as Docker Compose reads it, and the commands of its containers as processes of this machine."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from stubs.dockerfile import command, stages

ROOT = Path(__file__).parents[2]


def substituted(text: str, variables: Mapping[str, str]) -> str:
    """A text with `${NAME:-default}` replaced by variables of .env."""
    return re.sub(r"\$\{(\w+):-([^}]*)\}", lambda match: variables.get(match[1], match[2]), text)


def composition(**variables: str) -> dict[str, Any]:
    """The document, with variables of .env."""
    found: dict[str, Any] = yaml.safe_load(substituted((ROOT / "compose.yaml").read_text(), variables))
    return found


class Container:
    """A container of the composition, run on this machine with other places.

    Args:
        service: its part of the composition.
        places: text -> what stands for it here, in commands and variables.
        environment: variables besides, such as PATH.
    """

    def __init__(self, service: Mapping[str, Any], places: Mapping[str, str], environment: Mapping[str, str]) -> None:
        self._service, self._places = service, places
        own = {name: self._placed(str(value)) for name, value in service.get("environment", {}).items()}
        self.environment = {**own, **environment}

    def arguments(self) -> list[str]:
        """What is run: the image's entry point, and the composition's command."""
        first = command(self._image().one("ENTRYPOINT"))
        return [self._placed(word) for word in (*first, *self._service["command"])]

    def start(self, log: Path) -> subprocess.Popen[str]:
        """Run it in the image's working folder, in a session of its own."""
        options = {
            "cwd": self._placed(self._image().one("WORKDIR")),
            "env": self.environment,
            "start_new_session": True,
        }
        with log.open("w") as output:
            return subprocess.Popen(self.arguments(), stdout=output, stderr=output, text=True, **options)

    def healthy(self) -> bool:
        """Whether the image's check succeeds."""
        words = [self._placed(word) for word in command(self._image().one("HEALTHCHECK"))]
        return subprocess.run(words, env=self.environment, capture_output=True, check=False).returncode == 0

    def _image(self) -> Any:
        return stages((ROOT / self._service["build"]["dockerfile"]).read_text())[-1]

    def _placed(self, text: str) -> str:
        for place, here in self._places.items():
            text = text.replace(place, here)
        return text
