"""An ingress that is checked against its description."""

import pytest

from tests.support.ingress.application import Serve
from tests.support.ingress.described_ingress import DescribedIngress


@pytest.fixture
def described(serve: Serve) -> DescribedIngress:
    return DescribedIngress.create(serve)
