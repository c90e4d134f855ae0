"""What the tests of the clients share."""

from support.adapter_samples import adapter, pauses, service
from support.wire_server import certificate, serve

__all__ = ["adapter", "certificate", "pauses", "serve", "service"]
