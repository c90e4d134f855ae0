"""What the tests of the clients share."""

from adapter_samples import adapter, pauses, service
from clients_wire import certificate, serve

__all__ = ["adapter", "certificate", "pauses", "serve", "service"]
