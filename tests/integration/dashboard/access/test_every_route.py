"""Who may do what, for every route of the ingress, the read API and the dashboard.

The routes are those of the applications, so one that is added must be added to `EXPECTED`.
"""

import json
import re
from collections import defaultdict
from collections.abc import Mapping
from contextlib import closing
from typing import Any

from flask import Flask

from config.open_id import OpenIdSettings
from config.settings import Settings
from tests.support.dashboard.application import Browser, ServeDashboard
from tests.support.dashboard.requesters import RULES, Requesters, create_keys
from tests.support.ingress.application import Serve
from tests.support.ingress.bodies import BODIES
from tests.support.world import World

REQUESTERS = (
    "no key", "send", "read", "manage", "revoked",
    "viewer", "editor", "administrator", "stranger", "elsewhere",
)  # fmt: skip
"""Programs by the scope of their key, and people by their role. A stranger administers another
organization, and `elsewhere` requests things of this one in the path of their own."""

WITH_HEAD = ("administrator",)
"""Requesters who also send each GET as HEAD: it is the same code for all."""

LESSER_KEYS = ("send", "read", "revoked")
"""Keys that are not tried on pages, which read none: the one that may do most is."""

EXPECTED = """
ingress GET /api/feature_flag/local_evaluation                                200 200 200 200 200 200 200 200 200 200
ingress GET /api/feature_flag/local_evaluation/                               200 200 200 200 200 200 200 200 200 200
ingress GET /decide                                                           200 200 200 200 200 200 200 200 200 200
ingress GET /decide/                                                          200 200 200 200 200 200 200 200 200 200
ingress GET /flags                                                            200 200 200 200 200 200 200 200 200 200
ingress GET /flags/                                                           200 200 200 200 200 200 200 200 200 200
ingress GET /flags/definitions                                                200 200 200 200 200 200 200 200 200 200
ingress GET /flags/definitions/                                               200 200 200 200 200 200 200 200 200 200
ingress GET /livez                                                            200 200 200 200 200 200 200 200 200 200
ingress GET /metrics                                                          401 401 401 401 401 401 401 401 401 401
ingress GET /readyz                                                           200 200 200 200 200 200 200 200 200 200
ingress GET /v1/openapi.yaml                                                  200 200 200 200 200 200 200 200 200 200
ingress POST /batch                                                           401 200 403 403 401 401 401 401 401 401
ingress POST /batch/                                                          401 200 403 403 401 401 401 401 401 401
ingress POST /capture                                                         401 200 403 403 401 401 401 401 401 401
ingress POST /capture/                                                        401 200 403 403 401 401 401 401 401 401
ingress POST /decide                                                          200 200 200 200 200 200 200 200 200 200
ingress POST /decide/                                                         200 200 200 200 200 200 200 200 200 200
ingress POST /e                                                               401 200 403 403 401 401 401 401 401 401
ingress POST /e/                                                              401 200 403 403 401 401 401 401 401 401
ingress POST /flags                                                           200 200 200 200 200 200 200 200 200 200
ingress POST /flags/                                                          200 200 200 200 200 200 200 200 200 200
ingress POST /i/v0/ai/batch                                                   401 200 403 403 401 401 401 401 401 401
ingress POST /i/v0/ai/batch/                                                  401 200 403 403 401 401 401 401 401 401
ingress POST /i/v0/e                                                          401 200 403 403 401 401 401 401 401 401
ingress POST /i/v0/e/                                                         401 200 403 403 401 401 401 401 401 401
ingress POST /v1/alias                                                        401 200 403 403 401 401 401 401 401 401
ingress POST /v1/batch                                                        401 200 403 403 401 401 401 401 401 401
ingress POST /v1/cloudevents                                                  401 200 403 403 401 401 401 401 401 401
ingress POST /v1/companies/batch                                              401 200 403 403 401 401 401 401 401 401
ingress POST /v1/group                                                        401 200 403 403 401 401 401 401 401 401
ingress POST /v1/identify                                                     401 200 403 403 401 401 401 401 401 401
ingress POST /v1/import                                                       401 200 403 403 401 401 401 401 401 401
ingress POST /v1/page                                                         401 400 403 403 401 401 401 401 401 401
ingress POST /v1/screen                                                       401 400 403 403 401 401 401 401 401 401
ingress POST /v1/track                                                        401 200 403 403 401 401 401 401 401 401
ingress POST /v1/track/batch                                                  401 200 403 403 401 401 401 401 401 401
ingress POST /v1/users/batch                                                  401 200 403 403 401 401 401 401 401 401
ingress PUT /v1/companies/{company_id}                                        401 200 403 403 401 401 401 401 401 401
ingress PUT /v1/users/{user_id}                                               401 200 403 403 401 401 401 401 401 401
GET /v1/companies                                                             401 403 200 403 401 401 401 401 401 401
GET /v1/companies/{company}/health                                            401 403 200 403 401 401 401 401 401 401
GET /v1/openapi.json                                                          200 200 200 200 200 200 200 200 200 200
GET /v1/outcomes                                                              401 403 200 403 401 401 401 401 401 401
GET /v1/work-items                                                            401 403 200 403 401 401 401 401 401 401
POST /v1/outcomes                                                             401 201 403 403 401 401 401 401 401 401
GET /v1/transitions                                                           401 403 200 403 401 401 401 401 401 401
GET /                                                                         303 303 303 303 303 303 303 303 303 303
GET /account                                                                  303 303 303 303 303 200 200 200 200 200
GET /favicon.ico                                                              200 200 200 200 200 200 200 200 200 200
GET /livez                                                                    200 200 200 200 200 200 200 200 200 200
GET /readyz                                                                   200 200 200 200 200 200 200 200 200 200
GET /sign-in                                                                  200 200 200 200 200 303 303 303 303 303
GET /sign-in/openid                                                           303 303 303 303 303 303 303 303 303 303
GET /sign-in/openid/return                                                    303 303 303 303 303 303 303 303 303 303
GET /static/{filename}                                                        200 200 200 200 200 200 200 200 200 200
GET /o/{organization}/                                                        303 303 303 303 303 200 200 200 404 200
GET /o/{organization}/changes                                                 303 303 303 303 303 200 200 200 404 200
GET /o/{organization}/recent                                                  303 303 303 303 303 200 200 200 404 200
GET /o/{organization}/portfolio                                               303 303 303 303 303 200 200 200 404 200
GET /o/{organization}/companies                                               303 303 303 303 303 200 200 200 404 200
GET /o/{organization}/companies.csv                                           303 303 303 303 303 200 200 200 404 200
GET /o/{organization}/companies/{company_id}                                  303 303 303 303 303 200 200 200 404 404
GET /o/{organization}/companies/{company_id}/deliveries                       303 303 303 303 303 200 200 200 404 404
GET /o/{organization}/companies/{company_id}/fields                           303 303 303 303 303 200 200 200 404 404
GET /o/{organization}/companies/{company_id}/flags/{flag}                     303 303 303 303 303 403 200 200 404 404
GET /o/{organization}/companies/{company_id}/notes                            303 303 303 303 303 200 200 200 404 404
GET /o/{organization}/companies/{company_id}/notes/{note_id}                  303 303 303 303 303 403 200 200 404 404
GET /o/{organization}/companies/{company_id}/outcomes                         303 303 303 303 303 200 200 200 404 404
POST /o/{organization}/companies/{company_id}/outcomes                        303 303 303 303 303 403 422 422 404 404
GET /o/{organization}/companies/{company_id}/report                           303 303 303 303 303 200 200 200 404 404
GET /o/{organization}/outcomes                                                303 303 303 303 303 200 200 200 404 200
GET /o/{organization}/outcomes/all                                            303 303 303 303 303 200 200 200 404 200
POST /o/{organization}/outcomes/all                                           303 303 303 303 303 403 422 422 404 422
GET /o/{organization}/outcomes/all/{outcome_id}                               303 303 303 303 303 403 200 200 404 404
POST /o/{organization}/outcomes/all/{outcome_id}                              303 303 303 303 303 403 422 422 404 404
POST /o/{organization}/outcomes/all/{outcome_id}/delete                       303 303 303 303 303 403 303 303 404 404
GET /o/{organization}/outcomes/companies/{kind}                               303 303 303 303 303 200 200 200 404 200
GET /o/{organization}/outcomes/import                                         303 303 303 303 303 403 200 200 404 200
POST /o/{organization}/outcomes/import                                        303 303 303 303 303 403 422 422 404 422
GET /o/{organization}/outcomes/import/{digest}                                303 303 303 303 303 403 303 303 404 303
POST /o/{organization}/outcomes/import/{digest}                               303 303 303 303 303 403 303 303 404 303
POST /o/{organization}/outcomes/import/{digest}/apply                         303 303 303 303 303 403 303 303 404 303
GET /o/{organization}/outcomes/import/{digest}/refused.csv                    303 303 303 303 303 403 303 303 404 303
GET /o/{organization}/companies/{company_id}/timeline                         303 303 303 303 303 200 200 200 404 404
GET /o/{organization}/companies/{company_id}/users                            303 303 303 303 303 200 200 200 404 404
GET /o/{organization}/events                                                  303 303 303 303 303 200 200 200 404 200
GET /o/{organization}/events/live                                             303 303 303 303 303 200 200 200 404 200
GET /o/{organization}/events/live/newest                                      303 303 303 303 303 200 200 200 404 200
GET /o/{organization}/events/refused                                          303 303 303 303 303 200 200 200 404 200
GET /o/{organization}/events/refused/drop                                     303 303 303 303 303 403 200 200 404 303
GET /o/{organization}/events/refused/{request_id}                             303 303 303 303 303 200 200 200 404 404
GET /o/{organization}/events/refused/{request_id}/drop                        303 303 303 303 303 403 200 200 404 404
GET /o/{organization}/events/set-aside                                        303 303 303 303 303 200 200 200 404 200
GET /o/{organization}/events/set-aside/drop                                   303 303 303 303 303 403 200 200 404 303
GET /o/{organization}/events/set-aside/{id}                                   303 303 303 303 303 200 200 200 404 404
GET /o/{organization}/events/set-aside/{id}/drop                              303 303 303 303 303 403 200 200 404 404
GET /o/{organization}/events/trace                                            303 303 303 303 303 200 200 200 404 200
GET /o/{organization}/field-values                                            303 303 303 303 303 200 200 200 404 200
GET /o/{organization}/import                                                  303 303 303 303 303 403 200 200 404 200
GET /o/{organization}/import/{digest}                                         303 303 303 303 303 403 303 303 404 303
GET /o/{organization}/import/{digest}/refused.csv                             303 303 303 303 303 403 303 303 404 303
GET /o/{organization}/mentions                                                303 303 303 303 303 200 200 200 404 200
GET /o/{organization}/mentions/people                                         303 303 303 303 303 403 200 200 404 200
GET /o/{organization}/insights                                                303 303 303 303 303 200 200 200 404 200
GET /o/{organization}/insights/{event_key}                                    303 303 303 303 303 200 200 200 404 404
GET /o/{organization}/rules                                                   303 303 303 303 303 200 200 200 404 200
GET /o/{organization}/rules/backtests                                         303 303 303 303 303 200 200 200 404 200
POST /o/{organization}/rules/backtests                                        303 303 303 303 303 403 303 303 404 303
GET /o/{organization}/rules/backtests/{backtest_id}                           303 303 303 303 303 200 200 200 404 404
POST /o/{organization}/rules/backtests/{backtest_id}/cancel                   303 303 303 303 303 403 303 303 404 404
GET /o/{organization}/rules/completions                                       303 303 303 303 303 200 200 200 404 200
GET /o/{organization}/rules/examples                                          303 303 303 303 303 200 200 200 404 200
GET /o/{organization}/rules/examples/{example_name}                           303 303 303 303 303 200 200 200 404 200
GET /o/{organization}/rules/versions                                          303 303 303 303 303 200 200 200 404 200
GET /o/{organization}/rules/versions/{number}                                 303 303 303 303 303 200 200 200 404 404
GET /o/{organization}/search                                                  303 303 303 303 303 200 200 200 404 200
GET /o/{organization}/settings/audit                                          303 303 303 303 303 403 403 200 404 200
GET /o/{organization}/settings/developers                                     303 303 303 303 303 200 200 200 404 200
GET /o/{organization}/settings/developers/connect                             303 303 303 303 303 200 200 200 404 200
GET /o/{organization}/settings/developers/connect/arrivals                    303 303 303 303 303 200 200 200 404 200
GET /o/{organization}/settings/developers/connect/{door}                      303 303 303 303 303 200 200 200 404 200
GET /o/{organization}/settings/developers/deliveries                          303 303 303 303 303 200 200 200 404 200
GET /o/{organization}/settings/developers/deliveries/{id}                     303 303 303 303 303 200 200 200 404 404
GET /o/{organization}/settings/developers/deliveries/{id}/attempts            303 303 303 303 303 200 200 200 404 404
GET /o/{organization}/settings/developers/keys/{key_id}/revoke                303 303 303 303 303 403 403 200 404 404
GET /o/{organization}/settings/developers/keys/{key_id}/scopes                303 303 303 303 303 403 403 200 404 404
GET /o/{organization}/settings/developers/webhooks                            303 303 303 303 303 200 200 200 404 200
GET /o/{organization}/settings/developers/webhooks/{endpoint_id}              303 303 303 303 303 200 200 200 404 404
GET /o/{organization}/settings/developers/webhooks/{endpoint_id}/remove       303 303 303 303 303 403 403 200 404 404
GET /o/{organization}/settings/owners                                         303 303 303 303 303 200 200 200 404 200
GET /o/{organization}/settings/people                                         303 303 303 303 303 403 403 200 404 200
GET /o/{organization}/settings/people/{person_id}/owners                      303 303 303 303 303 403 403 200 404 404
POST /account/mention-emails                                                  303 303 303 303 303 303 303 303 303 303
POST /account/name                                                            303 303 303 303 303 422 422 422 422 422
POST /account/password                                                        303 303 303 303 303 422 422 422 422 422
POST /account/sessions/{session_id}/end                                       303 303 303 303 303 303 303 303 303 303
GET /o/{organization}/upcoming                                                303 303 303 303 303 200 200 200 404 200
GET /o/{organization}/users/{user_id}                                         303 303 303 303 303 200 200 200 404 404
POST /account/single-keys                                                     303 303 303 303 303 303 303 303 303 303
POST /account/time-zone                                                       303 303 303 303 303 422 422 422 422 422
POST /o/{organization}/companies/{company_id}/flags/{flag}                    303 303 303 303 303 403 422 422 404 404
POST /o/{organization}/companies/{company_id}/flags/{flag}/end                303 303 303 303 303 403 303 303 404 404
POST /o/{organization}/companies/{company_id}/notes                           303 303 303 303 303 403 303 303 404 404
POST /o/{organization}/companies/{company_id}/notes/{note_id}                 303 303 303 303 303 403 422 422 404 404
POST /o/{organization}/events/add                                             303 303 303 303 303 403 303 303 404 303
POST /o/{organization}/events/rename                                          303 303 303 303 303 403 303 303 404 303
POST /o/{organization}/events/switch                                          303 303 303 303 303 403 303 303 404 303
POST /o/{organization}/import                                                 303 303 303 303 303 403 422 422 404 422
POST /o/{organization}/import/{digest}                                        303 303 303 303 303 403 303 303 404 303
POST /o/{organization}/import/{digest}/apply                                  303 303 303 303 303 403 303 303 404 303
POST /o/{organization}/rules/apply                                            303 303 303 303 303 403 422 422 404 422
POST /o/{organization}/rules/backtest                                         303 303 303 303 303 403 422 422 404 422
POST /o/{organization}/rules/check                                            303 303 303 303 303 403 200 200 404 200
POST /o/{organization}/rules/examples/{example_name}                          303 303 303 303 303 403 200 200 404 200
POST /o/{organization}/rules/flags                                            303 303 303 303 303 403 409 409 404 400
POST /o/{organization}/rules/flags/form                                       303 303 303 303 303 403 409 409 404 400
POST /o/{organization}/rules/flags/save                                       303 303 303 303 303 403 409 409 404 400
POST /o/{organization}/rules/plan                                             303 303 303 303 303 403 409 409 404 400
POST /o/{organization}/rules/text                                             303 303 303 303 303 403 200 200 404 200
POST /o/{organization}/rules/versions/{number}/bring-back                     303 303 303 303 303 403 200 200 404 404
POST /o/{organization}/settings/developers/connect/{door}/key                 303 303 303 303 303 403 403 200 404 200
POST /o/{organization}/settings/developers/deliveries/{id}/resend             303 303 303 303 303 403 403 303 404 404
POST /o/{organization}/settings/developers/keys                               303 303 303 303 303 403 403 200 404 200
POST /o/{organization}/settings/developers/keys/{key_id}/scopes               303 303 303 303 303 403 403 303 404 404
POST /o/{organization}/settings/developers/webhooks                           303 303 303 303 303 403 403 422 404 422
POST /o/{organization}/settings/developers/webhooks/{endpoint_id}/disable     303 303 303 303 303 403 403 303 404 404
POST /o/{organization}/settings/developers/webhooks/{endpoint_id}/enable      303 303 303 303 303 403 403 303 404 404
POST /o/{organization}/settings/developers/webhooks/{endpoint_id}/recover     303 303 303 303 303 403 403 303 404 404
POST /o/{organization}/settings/developers/webhooks/{endpoint_id}/secret      303 303 303 303 303 403 403 200 404 404
POST /o/{organization}/settings/developers/webhooks/{endpoint_id}/subscription 303 303 303 303 303 403 403 303 404 404
POST /o/{organization}/settings/developers/webhooks/{endpoint_id}/test        303 303 303 303 303 403 403 303 404 404
POST /o/{organization}/settings/people                                        303 303 303 303 303 403 403 422 404 422
POST /o/{organization}/settings/owners                                        303 303 303 303 303 303 303 303 404 303
POST /o/{organization}/settings/people/{person_id}/disable                    303 303 303 303 303 403 403 303 404 404
POST /o/{organization}/settings/people/{person_id}/enable                     303 303 303 303 303 403 403 303 404 404
POST /o/{organization}/settings/people/{person_id}/owners                     303 303 303 303 303 403 403 303 404 404
POST /o/{organization}/settings/people/{person_id}/password                   303 303 303 303 303 403 403 200 404 404
POST /o/{organization}/settings/people/{person_id}/role                       303 303 303 303 303 403 403 303 404 404
POST /o/{organization}/views                                                  303 303 303 303 303 303 303 303 404 303
POST /o/{organization}/views/{view_id}/rename                                 303 303 303 303 303 303 303 303 404 404
POST /o/{organization}/events/refused/send                                    303 303 303 303 303 403 303 303 404 303
POST /o/{organization}/events/refused/{request_id}/correct                    303 303 303 303 303 403 422 422 404 404
POST /o/{organization}/events/refused/{request_id}/send                       303 303 303 303 303 403 303 303 404 404
POST /o/{organization}/events/refused/drop                                    303 303 303 303 303 403 400 400 404 400
POST /o/{organization}/events/refused/{request_id}/drop                       303 303 303 303 303 403 303 303 404 404
POST /o/{organization}/events/set-aside/retry                                 303 303 303 303 303 403 303 303 404 303
POST /o/{organization}/events/set-aside/{id}/retry                            303 303 303 303 303 403 303 303 404 303
POST /o/{organization}/events/set-aside/drop                                  303 303 303 303 303 403 303 303 404 303
POST /o/{organization}/events/set-aside/{id}/drop                             303 303 303 303 303 403 303 303 404 303
POST /o/{organization}/companies/{company_id}/notes/{note_id}/delete          303 303 303 303 303 403 303 303 404 404
POST /o/{organization}/mentions/read                                          303 303 303 303 303 303 303 303 404 303
POST /o/{organization}/mentions/{note_id}/read                                303 303 303 303 303 303 303 303 404 303
POST /o/{organization}/settings/developers/keys/{key_id}/revoke               303 303 303 303 303 403 403 303 404 404
POST /o/{organization}/settings/developers/webhooks/{endpoint_id}/remove      303 303 303 303 303 403 403 303 404 404
POST /o/{organization}/settings/people/{person_id}/remove                     303 303 303 303 303 403 403 303 404 404
POST /o/{organization}/views/{view_id}/delete                                 303 303 303 303 303 303 303 303 404 404
GET /o/{organization}/settings/notifications                                  303 303 303 303 303 200 200 200 404 200
POST /o/{organization}/settings/notifications                                 303 303 303 303 303 403 403 422 404 422
POST /o/{organization}/settings/notifications/{destination_id}/disable        303 303 303 303 303 403 403 303 404 404
POST /o/{organization}/settings/notifications/{destination_id}/enable         303 303 303 303 303 403 403 303 404 404
POST /o/{organization}/settings/notifications/{destination_id}/test           303 303 303 303 303 403 403 303 404 404
GET /o/{organization}/settings/notifications/{destination_id}/url             303 303 303 303 303 403 403 200 404 404
POST /o/{organization}/settings/notifications/{destination_id}/url            303 303 303 303 303 403 403 422 404 404
GET /o/{organization}/settings/notifications/{destination_id}/remove          303 303 303 303 303 403 403 200 404 404
POST /o/{organization}/settings/notifications/{destination_id}/remove         303 303 303 303 303 403 403 303 404 404
POST /o/{organization}/settings/notifications/test-email                      303 303 303 303 303 403 403 422 404 422
GET /o/{organization}/settings/notifications/tests/{message_id}               303 303 303 303 303 200 200 200 404 404
GET /o/{organization}/settings/notifications/messages/{message_id}            303 303 303 303 303 200 200 200 404 404
GET /o/{organization}/worklist                                                303 303 303 303 303 200 200 200 404 200
GET /o/{organization}/worklist.csv                                            303 303 303 303 303 200 200 200 404 200
GET /o/{organization}/worklist/response-times                                 303 303 303 303 303 200 200 200 404 200
GET /o/{organization}/worklist/response-times/items                           303 303 303 303 303 200 200 200 404 200
GET /o/{organization}/worklist/items/{item_id}                                303 303 303 303 303 200 200 200 404 404
POST /o/{organization}/worklist/items/{item_id}                               303 303 303 303 303 403 303 303 404 303
POST /o/{organization}/worklist/selected                                      303 303 303 303 303 403 303 303 404 303
POST /o/{organization}/worklist/companies                                     303 303 303 303 303 403 303 303 404 303
POST /o/{organization}/worklist/undo/{batch}                                  303 303 303 303 303 403 404 404 404 404
POST /account/sessions/end                                                    303 303 303 303 303 303 303 303 303 303
POST /sign-in                                                                 422 422 422 422 422 422 422 422 422 422
POST /sign-out                                                                303 303 303 303 303 303 303 303 303 303
"""  # noqa: E501 -- a row for each route
"""The statuses that each of `REQUESTERS` gets, in the order of the requests: what removes a thing
comes after what shows or changes it. The ingress knows no people."""

END_SESSIONS = ("POST /account/sessions/end", "POST /sign-out")
"""Everybody signs in again afterwards."""

Found = dict[str, list[int]]

FORMS: Mapping[str, Mapping[str, str]] = {
    "POST /o/{organization}/rules/backtests": {"text": RULES},
    "POST /o/{organization}/views": {"name": "Poor", "query": "status=Poor"},
    "POST /o/{organization}/views/{view_id}/rename": {"name": "Bad"},
    "POST /o/{organization}/companies/{company_id}/notes": {"text": "A note"},
    "POST /o/{organization}/mentions/read": {"until": "2026-01-20T10:30:05Z"},
    "POST /o/{organization}/settings/developers/connect/{door}/key": {"name": "shop"},
    "POST /o/{organization}/settings/developers/keys": {"name": "shop", "scopes": "send"},
    "POST /o/{organization}/settings/developers/keys/{key_id}/scopes": {"scopes": "read"},
    "POST /o/{organization}/settings/people/{person_id}/role": {"role": "editor"},
}
"""What is sent to a form; an empty form is refused, or is enough."""


JSON_BODIES: Mapping[str, Any] = {
    "POST /v1/outcomes": {"company_id": "c1", "kind": "renewed", "day": "2026-01-05"},
}
"""What is sent to the API beside the pages."""


def test_every_route_of_the_ingress_answers_each_key_as_expected(serve: Serve) -> None:
    app = serve(metrics_token="secret").app
    keys = create_keys(World.create(RULES, name="acme").id)
    found: Found = defaultdict(list)
    for route in routes_of(app):
        method, path = route.split()
        body = BODIES.get(path.rstrip("/"), {})
        statuses = {}
        for key in (None, *keys):
            headers = {"x-api-key": keys[key]} if key else {}
            with app.test_client() as client:
                statuses[key] = client.open(
                    path, method=method, json=body, headers=headers
                ).status_code
        found[f"ingress {route}"] = [statuses.get(name, statuses[None]) for name in REQUESTERS]
    assert found == {route: row for route, row in expected().items() if route.startswith("ingress")}


def test_every_route_of_the_dashboard_and_read_api_answers_everybody_as_expected(
    serve_dashboard: ServeDashboard, settings: Settings
) -> None:
    nowhere = OpenIdSettings("http://127.0.0.1:1", "brazebee", "secret")
    dashboard = serve_dashboard(open_id=nowhere)
    requesters = Requesters(dashboard, settings)
    read_api = dashboard.app.wsgi_app.mounts["/v1"]  # type: ignore[attr-defined]
    table = {route: row for route, row in expected().items() if not route.startswith("ingress")}
    assert set(table) == {*routes_of(dashboard.app), *routes_of(read_api, "/v1")}
    found: Found = defaultdict(list)
    for requester in REQUESTERS:
        name = "stranger" if requester == "elsewhere" else requester
        browser, headers = requesters.browser_of(name)
        things = requesters.create_things(name)
        if requester == "elsewhere":
            things["organization"] = "other"
        for route in table:
            method, path = route.split()
            if requester in LESSER_KEYS and not path.startswith("/v1/"):
                found[route].append(found[route][0])
                continue
            request: dict[str, Any] = {
                "path": path_to(path, things),
                "headers": headers,
                "data": {**FORMS.get(route, {}), "csrf_token": browser.token},
            }
            if route in JSON_BODIES:
                request["data"] = json.dumps(JSON_BODIES[route])
            status = status_of(browser, method=method, **request)
            found[route].append(status)
            if method == "GET" and requester in WITH_HEAD:
                assert status_of(browser, method="HEAD", **request) == status, route
            if route in END_SESSIONS:
                browser, _ = requesters.browser_of(name)
    assert found == table


def status_of(browser: Browser, **request: Any) -> int:
    """Send a request and return the status of the answer."""
    with closing(browser.client.open(**request)) as answer:
        return answer.status_code


def expected() -> dict[str, list[int]]:
    """Return `EXPECTED` by route."""
    rows = [line.rsplit(maxsplit=len(REQUESTERS)) for line in EXPECTED.strip().splitlines()]
    return {route: [int(status) for status in statuses] for route, *statuses in rows}


def routes_of(app: Flask, prefix: str = "") -> list[str]:
    """Return the routes of an application, such as `GET /companies/{id}`."""
    found = []
    for rule in app.url_map.iter_rules():
        path = re.sub(r"<(?:\w+(?:\(.*?\))?:)?(\w+)>", r"{\1}", rule.rule)
        found += [
            f"{method} {prefix}{path}" for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
        ]
    return sorted(found)


def path_to(path: str, things: Mapping[str, Any]) -> str:
    """Return the path of a route with these things; two routes call different things `id`."""
    if "/deliveries/{id}" in path:
        things = {**things, "id": things["delivery_id"]}
    return path.format_map(things)
