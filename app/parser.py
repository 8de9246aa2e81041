"""HTTP's parser, which takes no notice of requests to go on in another protocol."""

from __future__ import annotations

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol


class PlainParser:
    """httptools' parser of requests, that ignores `Upgrade`, as servers may (RFC 9110, 7.8).

    By itself, it takes the head of such a request for all of it, and the body for another one:
    clients that ask for HTTP/2 with each request could send no picture.

    It calls the protocol back at the end of such a head, while `should_upgrade` holds, and then
    for the whole request, as if it had not asked.
    """

    def __init__(self, protocol: HttpToolsProtocol) -> None:
        """Parse what a connection receives."""
        self._protocol = protocol
        self._parser = httptools.HttpRequestParser(protocol)

    def feed_data(self, data: bytes) -> None:
        """Parse more of it.

        Raises:
            HttpParserError: It is no HTTP, or a callback failed.
        """
        while True:
            try:
                self._parser.feed_data(data)
                return
            except httptools.HttpParserUpgrade as upgrade:
                (length,) = upgrade.args
                data = self._plain_head() + data[length:]
                self._parser = httptools.HttpRequestParser(self._protocol)

    def get_method(self) -> bytes:
        """Of the request."""
        return self._parser.get_method()

    def get_http_version(self) -> str:
        """Of the request."""
        return self._parser.get_http_version()

    def should_keep_alive(self) -> bool:
        """Whether the connection may have another request."""
        return self._parser.should_keep_alive()

    def should_upgrade(self) -> bool:
        """Whether the request asks for another protocol, and will come once more."""
        return self._parser.should_upgrade()

    def _plain_head(self) -> bytes:
        method, version = self.get_method(), self.get_http_version().encode()
        lines = [b"%b %b HTTP/%b" % (method, self._protocol.url, version)]
        lines += [
            b"%b: %b" % header for header in self._protocol.headers if header[0] != b"upgrade"
        ]
        return b"\r\n".join([*lines, b"", b""])
