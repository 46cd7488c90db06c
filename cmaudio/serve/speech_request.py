"""The validated request of `POST /v1/audio/speech`."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, Field, ValidationError

from cmaudio.errors import explain
from cmaudio.serve.failure import Failure
from cmaudio.speech.style import RATE_RANGE

Format = Literal["mp3", "opus", "ogg", "flac", "wav", "pcm"]


class VoiceById(BaseModel):
    """A voice in the form of newer clients."""

    id: Annotated[str, Field(max_length=200)]


class SpeechRequest(BaseModel):
    """The fields of OpenAI's API. Unknown fields are ignored, as there; `seed` is our addition."""

    model: Annotated[str, Field(max_length=200)]
    input: Annotated[str, Field(min_length=1)]
    voice: Annotated[str, Field(max_length=200)] | VoiceById | None = None
    instructions: str | None = None
    response_format: Format = "mp3"
    speed: Annotated[float, Field(ge=RATE_RANGE[0], le=RATE_RANGE[1])] = 1.0
    stream_format: Literal["audio", "sse"] = "audio"
    seed: Annotated[int, Field(ge=0, lt=2**32)] = 0

    @property
    def voice_name(self) -> str | None:
        return self.voice.id if isinstance(self.voice, VoiceById) else self.voice

    @property
    def is_ssml(self) -> bool:
        """Whether the text is SSML, judged by its start."""
        return self.input.lstrip().startswith("<speak")


def parse_speech_request(body: bytes, most_letters: int) -> SpeechRequest:
    """The request in a body of JSON. Raises Failure that names the field, what is allowed and what was given."""
    try:
        request = SpeechRequest.model_validate_json(body)
    except ValidationError as error:
        where = error.errors(include_url=False, include_context=False)[0]["loc"]
        raise Failure(400, explain(error), "invalid_request", str(where[0]) if where else None) from error
    if len(request.input) > most_letters:
        raise Failure(
            400,
            f"input: {len(request.input)} characters, and {most_letters} are allowed; send the text in parts",
            "string_above_max_length",
            "input",
        )
    if not request.input.strip():
        raise Failure(400, "input: it contains nothing to say", "empty_string", "input")
    return request
