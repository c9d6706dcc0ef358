"""TLS towards the agents and towards the upstream, and an HTTP proxy from the environment.

Expects of the gateway: [tls] certificate/key; https upstreams verified against `ca_file`; https_proxy/http_proxy and
no_proxy honoured (CONNECT for https); a certificate that does not verify is an error, never a fallback to none.
"""

import http.client
import json
import pathlib
import shutil
import socket
import ssl
import subprocess
import threading
import unittest

import configuration
import gateway_case
import raw_http
import support


def make_certificate(directory, name):
    """A self-signed certificate for 127.0.0.1 and localhost: (certificate file, key file)."""
    if not shutil.which("openssl"):
        raise unittest.SkipTest("there is no openssl command to make certificates with")
    certificate, key = directory / f"{name}.crt", directory / f"{name}.key"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                    "-keyout", key, "-out", certificate, "-days", "2", "-subj", f"/CN={name}", "-addext",
                    "subjectAltName=IP:127.0.0.1,DNS:localhost"], check=True, capture_output=True)
    key.chmod(0o600)
    return certificate, key


class Relay(threading.Thread):
    """Accepts connections and copies bytes both ways; with `tls` it ends TLS in front of the plain upstream."""

    def __init__(self, port, tls=None, proxy=False):
        super().__init__(daemon=True)
        self.target, self.tls, self.proxy = port, tls, proxy
        self.asked = []  # request lines that the proxy has seen
        self.server = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port = self.server.getsockname()[1]
        self.start()

    def run(self):
        while True:
            try:
                client, _ = self.server.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(client,), daemon=True).start()

    def serve(self, client):
        try:
            if self.tls:
                client = self.tls.wrap_socket(client, server_side=True)
            target, first = self.target, b""
            if self.proxy:
                while b"\r\n\r\n" not in first:
                    first += client.recv(65536)
                line = first.split(b"\r\n")[0].decode()
                self.asked.append(line)
                if line.startswith("CONNECT "):
                    target, first = int(line.split(" ")[1].rpartition(":")[2]), b""
                    client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            upstream = socket.create_connection(("127.0.0.1", target))
            upstream.sendall(first)
            back = threading.Thread(target=self.copy, args=(upstream, client), daemon=True)
            back.start()
            self.copy(client, upstream)
        except OSError:
            client.close()

    @staticmethod
    def copy(source, sink):
        try:
            while part := source.recv(65536):
                sink.sendall(part)
            sink.shutdown(socket.SHUT_WR)
        except (OSError, ValueError):
            for end in (source, sink):
                end.close()


class TlsAndProxies(gateway_case.GatewayCase):
    @classmethod
    def configure(cls, url):
        cls.certificate, cls.key = make_certificate(cls.directory, "gateway")
        upstream_certificate, upstream_key = make_certificate(cls.directory, "upstream")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(upstream_certificate, upstream_key)
        cls.secure = Relay(cls.upstream.port, tls=context)
        cls.proxy = Relay(cls.upstream.port, proxy=True)
        proxy = f"http://127.0.0.1:{cls.proxy.port}"
        cls.environment = {"https_proxy": "", "http_proxy": "", "no_proxy": ""}
        secure = f"https://127.0.0.1:{cls.secure.port}/v1"
        cls.proxied_environment = {"https_proxy": proxy, "http_proxy": proxy, "no_proxy": "",
                                   "HTTPS_PROXY": proxy, "NO_PROXY": ""}
        cls.upstreams = [configuration.upstream("verified", secure, ca_file=upstream_certificate),
                         configuration.upstream("unverified", secure), configuration.upstream("plain", url)]
        cls.models = [configuration.model("m-verified", "verified/sim/tag=verified"),
                      configuration.model("m-unverified", "unverified/sim/tag=unverified"),
                      configuration.model("m-plain", "plain/sim/tag=plain")]
        text = configuration.render(cls.upstreams, cls.models, retries={"attempts_max": 1})
        return text + "\n" + configuration.table("[tls]", {"certificate": cls.certificate, "key": cls.key})

    def secure_ask(self, model, stream=False):
        context = ssl.create_default_context(cafile=str(self.certificate))
        port = int(self.gateway.url.rpartition(":")[2])
        connection = http.client.HTTPSConnection("127.0.0.1", port, context=context, timeout=20)
        connection.request("POST", "/v1/chat/completions", json.dumps(gateway_case.request_for(
            "/v1/chat/completions", model, stream)), {"Content-Type": "application/json"})
        response = connection.getresponse()
        body = response.read()
        connection.close()
        return response.status, body

    def test_agents_talk_tls_and_so_does_the_gateway(self):
        for stream in (False, True):
            status, body = self.secure_ask("m-verified", stream)
            self.assertEqual(status, 200, body)
            self.assertEqual(body, bytes(self.seen("sim/tag=verified")[-1].sent))

    def test_an_upstream_that_does_not_verify_is_an_error(self):
        status, body = self.secure_ask("m-unverified")
        self.assertEqual(status, 502)
        self.assertRegex(json.loads(body)["error"]["message"].lower(), "certificate|verif|tls")
        self.assertEqual(self.seen("sim/tag=unverified"), [])

    def test_plain_http_on_the_tls_port_is_refused(self):
        with raw_http.Connection(self.gateway.url) as connection:
            connection.send(b"GET /v1/models HTTP/1.1\r\nHost: x\r\n\r\n")
            self.assertNotEqual(connection.receive().status, 200)


if __name__ == "__main__":
    support.main()
