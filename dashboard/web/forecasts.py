"""Keeps the forecasts that people look at up to date."""

from datetime import datetime

from dashboard.web.messages import enqueue_forecast
from models.database import transaction
from models.health import forecasts
from models.health.forecasts import Forecast
from services.forecasts.refreshing import is_fresh


def keep_fresh(organization_id: int, forecast: Forecast | None, at: datetime) -> None:
    """Record that somebody looked at a forecast, and enqueue its refresh unless it is fresh."""
    with transaction():
        forecasts.ask(organization_id, at)
    if forecast is None or not is_fresh(forecast, at):
        enqueue_forecast(organization_id)
