"""Names of Flask that Quart has had not, by their owners."""

from __future__ import annotations

from importlib import import_module
from typing import Any

_BY_OWNER = {
    "quart:Quart": "async_to_sync ensure_sync open_resource open_instance_resource",
    "quart:Blueprint": "open_resource send_static_file get_send_file_max_age",
    "quart:Request": "on_json_loading_failed max_content_length max_form_parts",
    "quart:Response": (
        "calculate_content_length call_on_close close direct_passthrough is_sequence "
        "is_streamed iter_encoded stream autocorrect_location_header"
    ),
    "quart.sessions:SessionInterface": "is_null_session pickle_based",
    "quart.typing": "BeforeFirstRequestCallable ResponseReturnValue",
    "quart": "after_this_request copy_current_request_context stream_with_context",
    "quart.json": "dump dumps load loads jsonify",
    "quart.helpers": (
        "abort flash get_debug_flag get_flashed_messages get_load_dotenv "
        "get_root_path get_template_attribute make_response redirect send_file "
        "send_from_directory stream_with_context url_for"
    ),
    "quart.ctx": "AppContext RequestContext after_this_request has_request_context",
    "quart.globals": "app_ctx current_app g request request_ctx session",
    "quart.views": "View MethodView",
}

NAMES = [(owner, name) for owner in _BY_OWNER for name in _BY_OWNER[owner].split()]


def find(owner: str) -> Any:
    """Return the module or class of a name such as ``package.module:Class``."""
    module, _, name = owner.partition(":")
    found = import_module(module)
    return getattr(found, name) if name else found
