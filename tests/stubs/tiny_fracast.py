"""A release of fracast's own network with few and random weights, in the layout of the package: fast to run."""

from __future__ import annotations

import json
from importlib.util import find_spec
from pathlib import Path

PLACES = 16


def write_release(folder: Path) -> Path:
    """Write the release; its forecasts lie around the middle of the window's range."""
    import torch
    from fracast._core.model import build_from_cfg
    from safetensors.torch import save_file

    config = json.loads((package_weights() / "config.json").read_text())
    config["model"] |= {"d_model": 8, "W": PLACES, "level_widths": [PLACES], "n_stages": 3, "horizon": 4}
    config["model"] |= {"future_queries": 1, "future_patch": 4, "head_d_ff": 8, "periodic_topk": 2}
    config["model"] |= {"head_future_conv_seed": 8, "head_future_conv_layers": 1}
    with torch.random.fork_rng(), torch.no_grad():
        torch.manual_seed(0)
        core, head = build_from_cfg({key: config[key] for key in ("model", "pyramid")})
        for weight in [*core.parameters(), *head.parameters()]:
            if weight.ndim > 1:
                torch.nn.init.normal_(weight, std=weight.shape[1] ** -0.5)
        head.out_proj.weight *= 0.02
        head.out_proj.bias.copy_(torch.linspace(0.3, 0.7, 9))
    parts = {"core": core, "head": head}
    weights = {f"{part}.{name}": value for part, module in parts.items() for name, value in module.state_dict().items()}
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps(config))
    save_file({name: value.contiguous() for name, value in weights.items()}, str(folder / "model.safetensors"))
    return folder


def package_weights() -> Path:
    """Folder of the weights in the installed package."""
    return Path(find_spec("fracast").origin).parent / "weights"
