"""What a schema cannot say: values of formats, and a session that exists."""

import os
import re

import schemathesis
from hypothesis import strategies as st

COLORS = ["#fff", "#667eea", "#667EEA80", "rebeccapurple", "rgb(1, 2, 3)", "oklch(0.7 0.15 250deg)"]
ICONS = ["", "/bot.svg", "https://example.com/bot.png", "data:image/png;base64,AAAA"]
UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")

schemathesis.openapi.format("color", st.sampled_from(COLORS))
schemathesis.openapi.format("uri-reference", st.sampled_from(ICONS))


@schemathesis.hook
def before_call(context, case, kwargs):
    """Puts an existing session with a file in the place of a random one, which would only be 404.

    Its file must stay, and so must every second request's random id, for what is not found.
    """
    if case.operation.definition.raw.get("operationId") == "deleteFile":
        return
    for values in (case.path_parameters, case.body):
        id = values.get("sessionId") if isinstance(values, dict) else None
        if isinstance(id, str) and UUID.fullmatch(id) and int(id[0], 16) < 12:
            values["sessionId"] = os.environ["SESSION"]
