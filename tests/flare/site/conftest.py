"""A site whose executor is asked as the server asks it."""

from __future__ import annotations

import pytest
from nvflare.apis.fl_context import FLContext

from fedaid.models.dual_encoder import DualEncoder
from fedaid.training.settings import TrainingSettings
from tests.flare.site.asked_site import Arrays, Site


@pytest.fixture
def site(site_context: FLContext, settings: TrainingSettings, model: DualEncoder, theta: Arrays) -> Site:
    return Site(site_context, settings, model, theta)
