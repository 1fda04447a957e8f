"""Cases that do not hold yet, each with the reason. A case named here that passes fails the suite: take it out.

A name is `file.py::test_name` for all cases of a test, or `file.py::test_name[case]` for one.
"""

from __future__ import annotations

REASONS: dict[str, tuple[str, ...]] = {
    "the configuration's newer keys are read and not yet shown in the list": (
        "test_models_list.py::test_a_peers_model_is_a_row",
        "test_models_list.py::test_a_selector_is_a_row",
        "test_models_list.py::test_capabilities",
        "test_models_list.py::test_flags_of_capabilities",
        "test_models_list.py::test_metadata",
    ),
    "/api/profiles is not there yet": (
        "test_auth.py::test_a_door_that_needs_a_key[GET /api/profiles]",
        "test_auth.py::test_a_door_that_needs_a_key[PUT /api/profiles/active]",
        "test_models_list.py::test_pins_of_the_active_profile_are_rows",
        "test_routes.py::test_a_wrong_method[GET /api/profiles/active]",
        "test_routes.py::test_a_wrong_method[POST /api/profiles]",
        "test_routes.py::test_head_of_what_can_be_got[/api/profiles]",
    ),
    "/comfyui is not there yet": (
        "test_auth.py::test_a_door_that_needs_a_key[GET /comfyui/]",
        "test_auth.py::test_a_door_that_needs_a_key[GET /comfyui]",
    ),
    "/upstream is not there yet": (
        "test_auth.py::test_a_door_that_needs_a_key[GET /upstream/alpha/]",
        "test_auth.py::test_a_door_that_needs_a_key[GET /upstream/alpha]",
        "test_auth.py::test_a_door_that_needs_a_key[POST /upstream/alpha/x]",
        "test_auth.py::test_a_door_that_needs_none[/upstream]",
        "test_routes.py::test_a_preflight_of_a_private_door[/upstream/alpha/x]",
    ),
    "activity, captures and the in-flight table are not there yet": ("test_errors.py::test_types_and_codes[409]",),
    "events, performance, version and the page are not there yet": (
        "test_auth.py::test_a_door_that_needs_a_key[GET /api/events]",
        "test_auth.py::test_a_door_that_needs_a_key[GET /api/hardware]",
        "test_auth.py::test_a_door_that_needs_a_key[GET /api/performance]",
        "test_auth.py::test_a_door_that_needs_a_key[GET /api/version]",
        "test_auth.py::test_a_door_that_needs_none[/]",
        "test_auth.py::test_a_door_that_needs_none[/wol-health]",
        "test_logs.py::test_a_browser_is_sent_to_the_page",
        "test_routes.py::test_a_preflight_of_a_private_door[/api/events]",
        "test_routes.py::test_a_wrong_method[POST /api/events]",
        "test_routes.py::test_a_wrong_method[POST /api/hardware]",
        "test_routes.py::test_a_wrong_method[POST /api/performance]",
        "test_routes.py::test_a_wrong_method[POST /api/version]",
        "test_routes.py::test_doors_that_lead_to_the_page",
        "test_routes.py::test_head_of_what_can_be_got[/api/performance]",
        "test_routes.py::test_head_of_what_can_be_got[/api/version]",
        "test_routes.py::test_head_of_what_can_be_got[/wol-health]",
        "test_routes.py::test_health[/wol-health]",
        "test_routes.py::test_the_version",
    ),
}
PENDING = {case: reason for reason, cases in REASONS.items() for case in cases}
