"""Signing in to the dashboard of a running product through its form."""

import re
from contextlib import nullcontext

import requests

from tests.support.product.brazebee_process import Brazebee

TOKEN = re.compile(r'name="csrf_token" value="([^"]+)"')


def signs_in(
    brazebee: Brazebee,
    email: str,
    password: str,
    browser: requests.Session | None = None,
    address: str | None = None,
) -> bool:
    """Whether somebody with this email and password comes to an organization.

    `address` is the dashboard's if it is not reached directly.
    """
    sign_in = f"{address or brazebee.dashboard_url}/sign-in"
    with nullcontext(browser) if browser else requests.Session() as visiting:
        page = visiting.get(sign_in, timeout=10)
        [token] = TOKEN.findall(page.text)
        form = {"email": email, "password": password, "csrf_token": token}
        answer = visiting.post(sign_in, data=form, timeout=10)
        return answer.ok and "/o/" in answer.url
