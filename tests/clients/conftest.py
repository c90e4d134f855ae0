"""The fixtures of the tests of the clients."""

from support.adapter_samples import adapter, pauses, service
from support.wire_server import certificate, serve

__all__ = ["adapter", "certificate", "pauses", "serve", "service"]
