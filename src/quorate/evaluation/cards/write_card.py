"""Write the card of a bundle into its folder.

<out>/<id>/card.md, card.html    not in the manifest, as signatures.txt is not

The id of a bundle and a signature of it cover the files that the manifest names. The card is none of them: it says
nothing that the bundle does not hold, and is read by people, never by this program, which makes it anew instead.
"""

from __future__ import annotations

from pathlib import Path

from quorate.core.arguments import path_of
from quorate.core.errors import BundleError, DataError, ModelError
from quorate.core.files import write_text_atomic
from quorate.core.redaction import redact_known
from quorate.ensemble.bundle import bundle_files
from quorate.ensemble.bundle.champion_path import champion_path
from quorate.evaluation.cards.card_sections import make_card
from quorate.evaluation.cards.html_page import card_html
from quorate.evaluation.cards.markdown import card_markdown
from quorate.evaluation.cards.model_card import ModelCard
from quorate.models.native_trees.native_files import READERS, read_trees
from quorate.models.native_trees.tree_shap import gain_shares

MARKDOWN, HTML = "card.md", "card.html"


def read_card(path: str | Path) -> ModelCard:
    """The card of a bundle, from its files.

    Args:
        path: folder of the bundle, or a folder of bundles, whose champion is taken.

    Raises:
        BundleError: no bundle there, or one whose manifest or trees are altered.
        ModelError: the native file of a member of boosted trees that cannot be read.
    """
    folder = champion_path(path_of("read a model card", "path", path, "the path of a bundle or of a folder of bundles"))
    manifest = bundle_files.read_manifest(folder)
    gains = {
        member.model: gain_shares(read_trees(bundle_files.read_file(folder, manifest, member.native), member.model))
        for member in manifest.members
        if member.model in READERS and member.native is not None
    }
    return make_card(manifest, gains)


def write_card(path: str | Path) -> tuple[Path, Path]:
    """Write the card of a bundle beside its files, in Markdown and in HTML.

    Args:
        path: as of `read_card`.

    Returns:
        The two files.

    Raises:
        BundleError: as `read_card`, or a folder that cannot be written.
        ModelError: as `read_card`.
    """
    card = read_card(path)
    folder = champion_path(Path(path))
    pages = {folder / MARKDOWN: card_markdown(card), folder / HTML: card_html(card)}
    for file, text in pages.items():
        try:
            write_text_atomic(file, redact_known(text))
        except DataError as error:
            raise BundleError(
                f"write the card of the bundle {card.bundle}",
                found=error.found,
                expected=error.expected,
                remedy="The bundle is published and complete. Free some space, then: quorate bundle card "
                f"{card.bundle}.",
            ) from error
    return folder / MARKDOWN, folder / HTML


def attempt_card(path: Path) -> str:
    """Write the card of a bundle that was trained; why that failed, which is no failure of the training, or nothing."""
    try:
        write_card(path)
    except (BundleError, ModelError) as error:
        return f"no card of the bundle {path.name}: {error}"
    return ""
