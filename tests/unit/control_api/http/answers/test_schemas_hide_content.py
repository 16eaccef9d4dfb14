"""What customers say is in no error text, and so in no log: it would outlive its deletion there."""

import importlib
import pkgutil

import pytest
from pydantic import BaseModel, ValidationError

import control_api
from control_api.adapters.session_outputs.models import TranscriptPayload
from control_api.http.answers.models import AnswerModel, RequestModel

for module in pkgutil.walk_packages(control_api.__path__, "control_api."):
    importlib.import_module(module.name)


def _subclasses(model: type[BaseModel]) -> set[type[BaseModel]]:
    return {model} | {deeper for below in model.__subclasses__() for deeper in _subclasses(below)}


MODELS = sorted(
    (model for model in _subclasses(BaseModel) if model.__module__.startswith("control_api.")),
    key=lambda model: model.__qualname__,
)


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__qualname__)
def test_no_model_quotes_its_input(model: type[BaseModel]) -> None:
    """Requests and answers alike; pydantic does unless it is told not to."""
    assert model.model_config.get("hide_input_in_errors") is True


def test_there_are_models_and_the_setting_works() -> None:
    """The list above is not empty by mistake."""
    assert {AnswerModel, RequestModel, TranscriptPayload} <= set(MODELS)
    assert len(MODELS) > 30
    with pytest.raises(ValidationError) as caught:
        TranscriptPayload.model_validate({"success": "raspberry"})
    assert "raspberry" not in str(caught.value)
