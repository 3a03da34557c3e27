"""Webhook messages about fills and halts."""

from quorate.trading.webhook.address import WEBHOOK_VARIABLE, Address, address_of, url_of
from quorate.trading.webhook.delivery import Delivery
from quorate.trading.webhook.message import has_message, message
from quorate.trading.webhook.webhook import Webhook

__all__ = ["WEBHOOK_VARIABLE", "Address", "Delivery", "Webhook", "address_of", "has_message", "message", "url_of"]
