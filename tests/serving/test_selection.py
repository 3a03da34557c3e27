"""`/selection`, and who votes by `/models`."""

from quorate.serving.documents.models import Models
from quorate.serving.documents.selection import SelectionDocument


def test_everybody_votes_by_default(http):
    answer = http.get("/selection")
    SelectionDocument.model_validate_json(answer.content)
    assert answer.json()["headline"] == "all members vote"
    assert answer.json()["size"] == 0
    models = http.get("/models")
    Models.model_validate_json(models.content)
    assert all(each["votes"] for each in models.json()["models"])
